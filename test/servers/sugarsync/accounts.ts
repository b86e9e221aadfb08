/**
 * Who may come in: applications, users, refresh tokens, access tokens that end.
 *
 * Sources: https://www.sugarsync.com/dev/api/ pages "Creating a Refresh Token", "Creating an Access Token", refresh-resource and auth-resource: both tokens
 * are URLs in the Location header; an access token is good for about an hour.
 */
import { randomBytes } from "node:crypto";
import { Refused, Tree } from "./tree.ts";
import type { TreeOptions } from "./tree.ts";

export interface Account {
  readonly userId: string;
  readonly username: string;
  readonly password: string;
  readonly tree: Tree;
}
export interface Application {
  readonly application: string;
  readonly accessKeyId: string;
  readonly privateAccessKey: string;
}
interface Access {
  readonly account: Account;
  readonly refresh: string;
  readonly endMs: number;
}

export const APPLICATION: Application = { application: "/sc/1234567/12_3456", accessKeyId: "key-of-the-test", privateAccessKey: "private-key-of-the-test" };

export class Accounts {
  readonly #byName = new Map<string, Account>();
  readonly #refresh = new Map<string, Account>();
  readonly #access = new Map<string, Access>();
  readonly #now: () => number;
  readonly #lifeMs: number;
  #next = 566_494;

  constructor(now: () => number, lifeMs: number) {
    this.#now = now;
    this.#lifeMs = lifeMs;
  }

  /** The account of this name, made when it is asked for the first time. */
  account(username: string, options: TreeOptions): Account {
    let account = this.#byName.get(username);
    if (account === undefined) {
      account = { userId: String(this.#next++), username, password: randomBytes(9).toString("base64url"), tree: new Tree(options) };
      this.#byName.set(username, account);
    }
    return account;
  }
  byId(userId: string): Account | undefined {
    return [...this.#byName.values()].find((account) => account.userId === userId);
  }

  grant(account: Account): string {
    const token = randomBytes(24).toString("hex");
    this.#refresh.set(token, account);
    return token;
  }

  signIn(fields: Readonly<Record<string, string>>): string {
    this.#known(fields, true);
    const account = this.#byName.get(fields["username"] ?? "");
    if (account === undefined || account.password !== fields["password"]) throw new Refused(401, "Authorization required");
    return this.grant(account);
  }

  access(fields: Readonly<Record<string, string>>): { readonly token: string; readonly account: Account; readonly endMs: number } {
    this.#known(fields, false);
    const refresh = (fields["refreshToken"] ?? "").split("/").at(-1) as string;
    const account = this.#refresh.get(refresh);
    if (account === undefined) throw new Refused(401, "Authorization required");
    const token = randomBytes(24).toString("hex");
    const endMs = this.#now() + this.#lifeMs;
    this.#access.set(token, { account, refresh, endMs });
    return { token, account, endMs };
  }

  /** The user of a request, by its Authorization header: the URL of the access token. */
  of(authorization: string | undefined): Account {
    const found = this.#access.get((authorization ?? "").split("/").at(-1) as string);
    if (found === undefined || !/\/authorization\/[0-9a-f]+$/.test(authorization ?? "") || found.endMs <= this.#now())
      throw new Refused(401, "Authorization required");
    return found.account;
  }

  /** As when the user takes the application off the list of those that may come in. */
  revoke(account: Account): void {
    for (const [token, one] of this.#refresh) if (one === account) this.#refresh.delete(token);
    this.expire(account);
  }
  /** Access tokens end before their time; refresh tokens stay. */
  expire(account: Account): void {
    for (const [token, one] of this.#access) if (one.account === account) this.#access.delete(token);
  }

  #known(fields: Readonly<Record<string, string>>, withApplication: boolean): void {
    const { accessKeyId, privateAccessKey, application } = APPLICATION;
    const right = fields["accessKeyId"] === accessKeyId && fields["privateAccessKey"] === privateAccessKey;
    if (!right || (withApplication && fields["application"] !== application)) throw new Refused(401, "Unknown application");
  }
}

/** Accounts and their tokens. An access token lives four hours, a refresh token until it is revoked (dropbox.com/developers/reference/oauth-guide). */
import { randomBytes } from "node:crypto";
import { badCall, tooMany, unauthorised } from "./errors.ts";
import { Tree } from "./tree.ts";

export const ACCESS_TOKEN_MS = 4 * 3600 * 1000;

export interface Account {
  readonly name: string;
  readonly tree: Tree;
  /** Does not expire, as those that the app console makes did. */
  readonly accessToken: string;
  readonly refreshToken: string;
  allocated: number;
  /** Set: space is a team's, with what the others use, and what this member may use (0: no limit of his own). */
  team: { readonly usedByOthers: number; readonly member: number } | undefined;
  /** Somebody commits at this moment: everybody else is told so. */
  locked: boolean;
}

export class Accounts {
  readonly #byName = new Map<string, Account>();
  readonly #access = new Map<string, { readonly account: Account; readonly until: number }>();
  readonly #revoked = new Set<string>();
  readonly now: () => number;
  constructor(now: () => number) {
    this.now = now;
  }

  /** Made when it is first asked for. */
  get(name: string): Account {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const account: Account = {
      name,
      tree: new Tree(this.now),
      accessToken: `sl.${name}.forever`,
      refreshToken: `refresh.${name}`,
      allocated: 2_000_000_000_000,
      team: undefined,
      locked: false,
    };
    this.#byName.set(name, account);
    this.#access.set(account.accessToken, { account, until: Infinity });
    return account;
  }

  all(): Account[] {
    return [...this.#byName.values()];
  }

  /** A new access token, with four hours to live. */
  grant(account: Account): string {
    const token = `sl.${account.name}.${randomBytes(12).toString("base64url")}`;
    this.#access.set(token, { account, until: this.now() + ACCESS_TOKEN_MS });
    return token;
  }

  revoke(account: Account): void {
    this.#revoked.add(account.refreshToken);
    for (const [token, { account: owner }] of this.#access) if (owner === account) this.#access.delete(token);
  }

  byRefreshToken(token: string): Account | undefined {
    if (this.#revoked.has(token)) return undefined;
    return this.all().find((account) => account.refreshToken === token);
  }

  bySecret(route: string, authorization: string | undefined): Account {
    const [, token] = /^Bearer (\S+)$/.exec(authorization ?? "") ?? [];
    if (token === undefined || !token.startsWith("sl.")) throw badCall(route, "The given OAuth 2 access token is malformed.");
    const found = this.#access.get(token);
    if (found === undefined) throw unauthorised("invalid_access_token");
    if (found.until <= this.now()) throw unauthorised("expired_access_token");
    return found.account;
  }
}

/** One writer per namespace: whoever comes while another commits is refused (developers.dropbox.com/dbx-performance-guide, "namespace locks"). */
export async function locking<T>(account: Account, work: () => T): Promise<T> {
  if (account.locked) throw tooMany("too_many_write_operations", 1);
  account.locked = true;
  try {
    // The lock is held for a while, so that two at once meet.
    await new Promise((done) => setImmediate(done));
    return work();
  } finally {
    account.locked = false;
  }
}

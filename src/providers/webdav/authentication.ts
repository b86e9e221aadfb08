/**
 * Who we are: which scheme the server wants, and what each request carries for it.
 *
 * Wrong credentials are sent once: servers throttle or lock out who repeats them. After a refusal calls fail without a request until `reconnect`.
 */
import { StoreError } from "../../store/index.ts";
import { parseChallenges } from "./challenge.ts";
import { digestOf, strongest } from "./digest.ts";
import type { Digest } from "./digest.ts";
import type { Settings } from "./options.ts";

/** What one request carried: given back with a 401, to tell a refusal from a nonce that somebody else has renewed meanwhile. */
export interface Proof {
  readonly header: string | undefined;
  readonly nonce: string | undefined;
}

export interface Authentication {
  /** What the server asked for last, as it said it. */
  readonly asked: string | null;
  /** True once the server has taken our proof, or has let us in without one: from then on nothing needs to be tried. */
  readonly settled: boolean;
  /** @throws StoreError `unauthenticated` after a refusal. */
  prove(method: string, uri: string): Proof;
  /** The server said 401. True: ask once more, there is something new to say. */
  challenged(sent: Proof, header: string | null): boolean;
  /** The server said something else than 401. */
  accepted(sent: Proof): void;
  /** The credentials were refused: what to throw, now and, unless they were accepted before, for every call until `forget`. */
  refused(cause: unknown): StoreError;
  forget(): void;
}

type Scheme =
  | { readonly kind: "unknown" }
  | { readonly kind: "fixed"; readonly header: string | undefined }
  | { readonly kind: "digest"; readonly digest: Digest };

export function authenticationOf({ username, password, token, auth, random }: Settings): Authentication {
  const start = (): Scheme => {
    if (token !== undefined) return { kind: "fixed", header: `Bearer ${token}` };
    if (username === undefined) return { kind: "fixed", header: undefined };
    return auth === "basic" ? basic() : { kind: "unknown" };
  };
  // The package's own encoder throws on what is not Latin-1, and sends the rest as Latin-1; RFC 7617 says UTF-8.
  const basic = (): Scheme => ({ kind: "fixed", header: `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}` });
  let scheme = start();
  let known = false;
  let welcome = false;
  /** The last nonce under which the server took our proof. */
  let taken: string | undefined;
  let refusal: StoreError | undefined;
  let asked: string | null = null;

  return {
    get asked() {
      return asked;
    },
    get settled() {
      return known || welcome || (username === undefined && token === undefined);
    },
    prove(method, uri) {
      if (refusal !== undefined) throw refusal;
      if (scheme.kind === "digest") return { header: scheme.digest.authorize(method, uri), nonce: scheme.digest.nonce };
      return { header: scheme.kind === "fixed" ? scheme.header : undefined, nonce: undefined };
    },
    challenged(sent, header) {
      asked = header;
      if (username === undefined || password === undefined) return false;
      // Sent without, because nothing was known then: another request may have learned it meanwhile.
      if (sent.header === undefined && scheme.kind !== "unknown") return scheme.kind === "digest" || scheme.header !== undefined;
      if (sent.header !== undefined && sent.nonce === undefined) return false;
      if (scheme.kind === "digest" && sent.nonce !== scheme.digest.nonce) return true;
      const challenges = parseChallenges(header);
      const digest = auth === "basic" ? undefined : strongest(challenges);
      if (digest !== undefined) {
        // The same user again under a new nonce only where the old one was the trouble: the server says so, or it has taken it before. Who was started again
        // does not know its old ones, and not every server calls them stale.
        if (sent.nonce !== undefined && sent.nonce !== taken && digest.params["stale"]?.toLowerCase() !== "true") return false;
        scheme = { kind: "digest", digest: digestOf(digest, username, password, random) };
        return true;
      }
      if (auth === "digest" || sent.nonce !== undefined || !challenges.some((challenge) => challenge.scheme === "basic")) return false;
      scheme = basic();
      return true;
    },
    accepted(sent) {
      if (sent.header === undefined) welcome = true;
      else known = true;
      if (sent.nonce !== undefined) taken = sent.nonce;
    },
    refused(cause) {
      const who = token !== undefined ? "the token" : username === undefined ? "a caller without credentials" : `user "${username}" with this password`;
      const error = new StoreError("unauthenticated", `the server does not let in ${who}`, { cause, status: 401, applied: false });
      if (!known && (username !== undefined || token !== undefined)) refusal = error;
      // What was said last is no good; the next call asks anew what the server wants.
      if (known && scheme.kind === "digest") scheme = start();
      return error;
    },
    forget() {
      scheme = start();
      known = false;
      welcome = false;
      taken = undefined;
      refusal = undefined;
    },
  };
}

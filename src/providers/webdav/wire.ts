/**
 * Connections to one server: a pool that both clients share, and the agent of one request of the package.
 *
 * The package follows redirects by itself, wherever they lead, and reads paths as URLs. `Passage` is an agent for exactly one request: it puts the raw
 * path into the request line and refuses the second request, which is the redirect.
 */
import { Agent as HttpAgent } from "node:http";
import type { ClientRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Settings } from "./options.ts";

export type Pool = HttpAgent | HttpsAgent;

/** `keepAlive` false: each request gets a connection of its own, closed after it. */
export function poolOf({ secure, ca }: Settings, keepAlive = true): Pool {
  const common = { keepAlive, maxFreeSockets: 64, scheduling: "lifo" as const };
  return secure ? new HttpsAgent(ca === undefined ? common : { ...common, ca }) : new HttpAgent(common);
}

/** Nobody gets these connections any more; those in use end with what they are used for. */
export function retire(pool: Pool): void {
  pool.maxFreeSockets = 0;
  for (const sockets of Object.values(pool.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

/** The server sends us elsewhere. */
export class Redirected extends Error {
  readonly origin: string;
  readonly path: string;
  constructor(origin: string, path: string) {
    super("the server answers with a redirect");
    this.origin = origin;
    this.path = path;
  }
}

export interface Passage {
  /** For the package, as its agent. */
  readonly agent: Pool;
  /** The request itself, once it is under way. */
  request: ClientRequest | undefined;
}

interface Adding {
  addRequest(request: ClientRequest, options: { readonly host?: string; readonly port?: number | string }, ...rest: unknown[]): void;
}

export function passage(pool: Pool, { secure }: Settings, href: string): Passage {
  const made: { agent: Pool; request: ClientRequest | undefined } = { agent: Object.create(pool) as Pool, request: undefined };
  (made.agent as unknown as Adding).addRequest = (request, options, ...rest) => {
    if (made.request !== undefined) {
      const { host = "", port } = options;
      const scheme = secure ? "https" : "http";
      throw new Redirected(
        `${scheme}://${host.includes(":") ? `[${host}]` : host}${port === undefined || Number(port) === (secure ? 443 : 80) ? "" : `:${port}`}`,
        request.path,
      );
    }
    made.request = request;
    request.path = href;
    (pool as unknown as Adding).addRequest(request, options, ...rest);
  };
  return made;
}

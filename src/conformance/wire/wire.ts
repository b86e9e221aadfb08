/** What a check sees of the loopback proxy between a provider and its service. The proxy itself is proxy.ts. */

/** One request that went through. Bodies and secrets are not kept. */
export interface Exchange {
  /** From 0, in the order in which the requests arrived at the proxy. */
  readonly index: number;
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly status: number | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** The fault that was played, if any. Null too where it could not be played on this request or answer: half of no bytes, another range than none. */
  readonly fault: FaultKind | null;
}

/**
 * refused: the connection is reset as soon as the head of the request arrives; its body is not read, the service sees nothing.   resetBefore: cut after the request was read, the service sees nothing.
 * resetAfter: the service answers, its answer is thrown away and the connection cut.   failedAfter: the same, and 502 is answered instead, as a gateway does that waits no longer.   throttled, unavailable: 429 and 503 with Retry-After, the service sees nothing.
 * stall: the service answers, the head is sent, then nothing until the client gives up.   truncated: the answer breaks off after `after` body bytes.
 * short: as truncated, but a clean end (Content-Length rewritten where there is one).   wrongRange: a 206 whose Content-Range and body start elsewhere.   wholeForRange: Range is dropped, 200 and all bytes.
 * expired: 401 or 403 with the service's own words for an expired token, the service sees nothing.   twice: the request is sent to the service twice, the second answer is returned.
 */
export type FaultKind =
  | "refused"
  | "resetBefore"
  | "resetAfter"
  | "failedAfter"
  | "throttled"
  | "unavailable"
  | "stall"
  | "truncated"
  | "short"
  | "wrongRange"
  | "wholeForRange"
  | "expired"
  | "twice";

export interface Fault {
  readonly kind: FaultKind;
  /** Which request, from the moment `break` was called: an index, or those that match; default: the first. */
  readonly at?: number | ((request: { readonly method: string; readonly target: string; readonly index: number }) => boolean) | undefined;
  /** How many matching requests are broken. Default 1. */
  readonly times?: number | undefined;
  /** Body bytes of the answer that get through (truncated, short, stall). Default: half of them. */
  readonly after?: number | undefined;
  /** What throttled and unavailable say in Retry-After. Default 1. */
  readonly retryAfterSeconds?: number | undefined;
}

export interface Wire {
  /** Everything since the last `clear`. */
  readonly exchanges: readonly Exchange[];
  clear(): void;
  /** Plays this fault once it matches; replaces an earlier one. */
  break(fault: Fault): void;
  /** No fault from now on; those that stall are cut. */
  mend(): void;
  /** Connections from the provider that are open now, those kept alive for the next request included. Each has its own to the service and ends with it. */
  readonly open: number;
  /** Those of them that a store should close when it closes: not the idle ones of `place.fetch`, whose pool belongs to the process and not to the store. */
  readonly held: number;
  /** Requests under way now: sent, and not yet answered to the last byte or given up. */
  readonly busy: number;
}

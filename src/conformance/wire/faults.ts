/** Which request a fault hits, and the answers that the proxy gives in the place of the service. */
import type { IncomingHttpHeaders } from "node:http";
import type { Fault, FaultKind } from "./wire.ts";

interface Asked {
  readonly method: string;
  readonly target: string;
}

/** One armed fault, counting requests from the moment it was armed. */
export interface Armed {
  readonly fault: Fault;
  /** The fault, if it hits this request. */
  take(request: Asked): Fault | null;
}

export function arm(fault: Fault): Armed {
  const at = fault.at ?? 0;
  const times = fault.times ?? 1;
  let seen = 0;
  let played = 0;
  return {
    fault,
    take({ method, target }) {
      const index = seen++;
      const hit = typeof at === "number" ? index >= at : at({ method, target, index });
      if (!hit || played >= times) return null;
      played += 1;
      return fault;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Faults of which the service sees nothing, and that are an answer. */
export function answerFor(fault: Fault, headers: IncomingHttpHeaders): Answer | null {
  const dialect = dialectOf(headers);
  switch (fault.kind) {
    case "throttled":
      return say(429, { "retry-after": String(fault.retryAfterSeconds ?? 1) }, dialect, "TooManyRequests", "Please reduce your request rate.");
    case "unavailable":
      return say(
        503,
        { "retry-after": String(fault.retryAfterSeconds ?? 1) },
        dialect,
        dialect === "s3" ? "SlowDown" : "ServiceUnavailable",
        "The service is temporarily unable to handle the request.",
      );
    case "expired":
      return expired(dialect, headers);
    default:
      return null;
  }
}

/** What is answered for a service that did it. */
export function failureFor(headers: IncomingHttpHeaders): Answer {
  return say(502, {}, dialectOf(headers), "BadGateway", "The gateway got no answer in time.");
}

type Dialect = "s3" | "bearer" | "digest" | "basic" | "plain";

/** The service's own words are those of the way in which the request says who it is. */
function dialectOf(headers: IncomingHttpHeaders): Dialect {
  const authorization = headers.authorization ?? "";
  if (authorization.startsWith("AWS") || headers["x-amz-date"] !== undefined) return "s3";
  if (/^bearer /i.test(authorization)) return "bearer";
  if (/^digest /i.test(authorization)) return "digest";
  return /^basic /i.test(authorization) ? "basic" : "plain";
}

function expired(dialect: Dialect, headers: IncomingHttpHeaders): Answer {
  switch (dialect) {
    case "s3":
      return say(403, {}, dialect, "ExpiredToken", "The provided token has expired.");
    case "bearer":
      return say(
        401,
        { "www-authenticate": 'Bearer error="invalid_token", error_description="The access token expired"' },
        dialect,
        "expired_access_token",
        "The access token expired.",
      );
    case "digest": {
      // The realm that the client knows, a nonce it has not seen: what a server says when it forgot its nonces.
      const realm = /realm="([^"]*)"/.exec(headers.authorization ?? "")?.[1] ?? "";
      return say(
        401,
        { "www-authenticate": `Digest realm="${realm}", nonce="d1f5c0a96b2e4873", algorithm=MD5, qop="auth", stale=true` },
        dialect,
        "Unauthorized",
        "Authorization required.",
      );
    }
    default:
      return say(401, { "www-authenticate": 'Basic realm="expired"' }, dialect, "Unauthorized", "Authorization required.");
  }
}

function say(status: number, headers: Readonly<Record<string, string>>, dialect: Dialect, code: string, text: string): Answer {
  const [type, body] =
    dialect === "s3"
      ? ["application/xml", `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${text}</Message><RequestId>wire</RequestId></Error>`]
      : dialect === "bearer"
        ? ["application/json", JSON.stringify({ error: code, message: text })]
        : // A page for people, as front ends and load balancers send it in the middle of any protocol.
          ["text/html", `<!DOCTYPE html>\n<html><head><title>${status} ${code}</title></head><body><h1>${code}</h1><p>${text}</p></body></html>\n`];
  return { status, headers: { ...headers, "content-type": type, "content-length": String(Buffer.byteLength(body)) }, body };
}

/** False for faults that cannot change this answer, so that nothing is recorded as broken: half of no bytes, another range where none was asked for or than one byte. */
export function playable(
  kind: FaultKind,
  ranged: boolean,
  answer: { readonly status: number; readonly hasBody: boolean; readonly range: string | undefined },
): boolean {
  switch (kind) {
    case "truncated":
    case "short":
      return answer.hasBody;
    case "wrongRange":
      return answer.status === 206 && answer.hasBody && !/^bytes (\d+)-\1\//.test(answer.range ?? "");
    case "wholeForRange":
      return ranged && answer.status === 206;
    default:
      return true;
  }
}

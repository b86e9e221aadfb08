/** What goes wrong on the way and what the service answers, in the words of the store. Error pages are HTML for people: nothing is read from them but the cause. */
import { StoreError, errorFromResponse } from "../../store/index.ts";
import type { ErrorCode } from "../../store/index.ts";
import { XmlError } from "./xml.ts";

/** What the service said, with as much of the body as helps to understand it. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Kept of an error page. */
const SHOWN = 500;
const CERTIFICATE = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/;
/** Before a connection stood: no byte of the request left. */
const CONNECTING: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

/** The usual meaning of each status here, where it differs from HTTP's. */
const MEANS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  413: ["no-space", "the account is full"],
  503: ["rate-limited", "the service asks to slow down"],
  509: ["unavailable", "the service has no bandwidth left for now"],
};

export function errorOf(
  { status, headers, text }: Refusal,
  changes: { readonly code?: ErrorCode; readonly reason?: string; readonly applied?: boolean | "partly" | "unknown" } = {},
): StoreError {
  const usual = errorFromResponse({ status, headers });
  const [code, reason] = MEANS[status] ?? [usual.code, usual.reason];
  return new StoreError(changes.code ?? code, changes.reason ?? reason, {
    status,
    cause: spoken(status, text),
    retryAfterMs: usual.retryAfterMs ?? undefined,
    applied: changes.applied ?? (status < 500 || status === 501 || status === 503 ? false : undefined),
  });
}

/** The service's own words: the heading of its page, or its text. */
function spoken(status: number, text: string): Error {
  const heading = /<h3>([\s\S]*?)<\/h3>/i.exec(text)?.[1];
  const plain = (heading ?? text)
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return new Error(`HTTP ${status}${plain === "" ? "" : `: ${plain.slice(0, SHOWN)}`}`);
}

/** What the network or the reading of an answer threw. Undefined: a defect. */
export function translate(error: unknown): StoreError | undefined {
  if (StoreError.is(error)) return error;
  if (error instanceof XmlError) return new StoreError("unavailable", "the service's answer broke off or is no XML", { cause: error });
  const code = networkCode(error);
  if (code === undefined) return undefined;
  if (CERTIFICATE.test(code)) return new StoreError("config", `the service's certificate is not trusted (${code})`, { cause: error, applied: false });
  return CONNECTING.has(code)
    ? new StoreError("unavailable", `the service cannot be reached (${code})`, { cause: error, applied: false })
    : new StoreError("unavailable", `the connection broke (${code})`, { cause: error });
}

/** `fetch failed` and `terminated` are TypeErrors whose cause tells; several addresses make an AggregateError of it. */
export function networkCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > 4 || StoreError.is(error)) return undefined;
  const { code, cause, errors, message } = error as { code?: unknown; cause?: unknown; errors?: unknown; message?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return networkCode(errors[0], depth + 1);
  if (typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  const inner = networkCode(cause, depth + 1);
  if (inner !== undefined) return inner;
  return error instanceof TypeError && (message === "fetch failed" || message === "terminated") ? "broken" : undefined;
}

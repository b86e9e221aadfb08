/**
 * Requests without bytes of files (PROPFIND MKCOL DELETE COPY MOVE OPTIONS), sent by the package's `customRequest`.
 *
 * What is added: one proof of identity per request, a challenge answered once, a redirect that only adds a slash followed once and no other one, an
 * idle connection that the server had closed replaced once where sending twice does no harm, and a limit on silence.
 */
import { StoreError, watchdog } from "../../store/index.ts";
import type { Authentication } from "./authentication.ts";
import { networkCause, translate } from "./errors.ts";
import type { Answer } from "./errors.ts";
import { TransferError, wentStale } from "./exchange.ts";
import type { Settings } from "./options.ts";
import { persist } from "./persist.ts";
import type { PackageResponse, WebdavClient } from "./sdk.ts";
import { Redirected, passage } from "./wire.ts";
import type { Pool } from "./wire.ts";

export interface Ask {
  readonly method: string;
  /** Raw path. */
  readonly href: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** How long it may be silent. Default: `timeoutMs`. */
  readonly quietMs?: number | undefined;
  /** Sending it twice does no harm. */
  readonly repeatable: boolean;
}

/** Longest answer that is read. A listing of a million files has about 700 MB; nobody waits for more. */
const LONGEST = 1 << 29;
/** Of an answer that is no multistatus only so much is kept. */
const KEPT = 16 << 10;

/** Requests that change something. */
const CHANGES: ReadonlySet<string> = new Set(["MKCOL", "DELETE", "COPY", "MOVE"]);

export interface Line {
  readonly settings: Settings;
  readonly authentication: Authentication;
  readonly client: WebdavClient;
  /** The common pool; `fresh`: one without connections, for one request. */
  pool(fresh: boolean): Pool;
}

export async function ask(line: Line, question: Ask): Promise<Answer> {
  try {
    return await askAt(line, question, question.href);
  } catch (error) {
    const slashed = `${question.href}/`;
    // The one redirect that is followed: it names the same thing.
    if (error instanceof Redirected && error.origin === line.settings.origin && error.path === slashed) return askAt(line, question, slashed);
    throw error;
  }
}

function askAt(line: Line, question: Ask, href: string): Promise<Answer> {
  return persist(line.authentication, {
    method: question.method,
    href,
    async send({ authorization, fresh }) {
      const way = passage(line.pool(fresh), line.settings, href);
      try {
        return await once(line, question, href, authorization, way);
      } catch (error) {
        throw networkCause(error) === undefined ? error : new TransferError(error, way.request?.reusedSocket === true, true);
      }
    },
    mayRepeat: (error) => question.repeatable && wentStale(error),
  });
}

async function once(
  { settings, client }: Line,
  question: Ask,
  href: string,
  authorization: string | undefined,
  way: ReturnType<typeof passage>,
): Promise<Answer> {
  const dog = watchdog(settings.clock, question.quietMs ?? settings.timeoutMs, question.signal, "server");
  const headers: Record<string, string> = { ...settings.headers, "Accept-Encoding": "identity", ...question.headers };
  if (authorization !== undefined) headers["Authorization"] = authorization;
  try {
    if (dog.signal.aborted) throw dog.signal.reason;
    if (CHANGES.has(question.method)) dog.linger();
    const response = await client
      .customRequest("/", {
        url: settings.origin + href,
        method: question.method,
        headers,
        ...(question.body === undefined ? {} : { data: question.body }),
        signal: dog.signal,
        httpAgent: way.agent,
        httpsAgent: way.agent,
      })
      .catch(answered);
    return { status: response.status, headers: new Headers([...response.headers]), text: await textOf(response, dog.touch) };
  } catch (error) {
    if (dog.signal.aborted) throw dog.signal.reason;
    throw error;
  } finally {
    dog.stop();
  }
}

/** The package throws on 400 and above; the response hangs on what it throws. */
function answered(error: unknown): PackageResponse {
  const { response } = error as { response?: PackageResponse };
  if (response !== undefined) return response;
  throw error;
}

async function textOf(response: PackageResponse, touch: () => void): Promise<string> {
  if (response.body === null) return "";
  const whole = response.status === 207;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    touch();
    bytes += chunk.byteLength;
    if (bytes > LONGEST) throw new StoreError("unavailable", "the server's answer does not end", { transient: false });
    if (whole || bytes <= KEPT) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** For calls beside the request itself, which must not hide what went wrong before them. */
export async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // A temporary file that cannot be taken back is no reason to forget why. What is not of the server is a defect of ours.
    if (translate(error) === undefined) throw error;
  }
}

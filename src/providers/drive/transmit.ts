/** One request and its answer, by the fetch of the options: given up after silence, and every failure of the way known as one. */
import type { Watchdog } from "../../store/index.ts";
import { StoreError, undone, watchdog } from "../../store/index.ts";
import { Broken, translate } from "./errors.ts";
import type { Settings } from "./options.ts";

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  /** Once it is sent, an answer is waited for a little even after the caller gave up. */
  readonly changes: boolean;
}

export interface Answer {
  readonly response: Response;
  readonly dog: Watchdog;
  readonly changes: boolean;
  /** Read to its end, or failed. */
  ended: boolean;
}

/** Longest answer that is read whole: a page of a thousand files has about a megabyte. */
const LONGEST = 64 << 20;
/** The slowest line that is waited for: 8 kB a second. */
const BYTES_PER_MS = 8;

export async function transmit({ clock, fetch, timeoutMs }: Settings, request: Request): Promise<Answer> {
  const { method, url, headers, body, signal, changes } = request;
  signal?.throwIfAborted();
  // Nothing is heard while a body goes up.
  const dog = watchdog(clock, timeoutMs + Math.ceil((body?.length ?? 0) / BYTES_PER_MS), signal);
  if (changes) dog.linger();
  try {
    const response = await fetch(url, {
      method,
      ...sendable(headers, body),
      signal: dog.signal,
      // Drive says 308 for "go on", and sends nobody elsewhere.
      redirect: "manual",
    });
    return { response, dog, changes, ended: false };
  } catch (cause) {
    dog.stop();
    throw failed(cause, dog, changes);
  }
}

/** Larger bodies are handed on in views of this size. */
const VIEW = 256 << 10;

/** Bytes that are given whole fetch copies: a file of gigabytes would leave as much garbage behind. Of a stream it takes what it sends, and the length is said by us. */
function sendable(headers: Request["headers"], body: Request["body"]): RequestInit & { readonly duplex?: "half" } {
  if (body === undefined) return { headers };
  if (typeof body === "string" || body.byteLength <= VIEW) return { headers, body: body as Uint8Array<ArrayBuffer> | string };
  let at = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(body.subarray(at, at + VIEW));
        at += VIEW;
        if (at >= body.byteLength) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { headers: { ...headers, "content-length": String(body.byteLength) }, body: stream, duplex: "half" };
}

/** The whole answer as text; the request is over with it. */
export async function textOf(answer: Answer): Promise<string> {
  const pull = reader(answer);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (let chunk = await pull(); chunk !== undefined; chunk = await pull()) {
      bytes += chunk.byteLength;
      if (bytes > LONGEST) throw new StoreError("unavailable", "the service's answer does not end", { transient: false });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    await close(answer);
  }
}

/** The next bytes of the answer; a service that falls silent in the middle is noticed. */
export function reader(answer: Answer): () => Promise<Uint8Array | undefined> {
  const { response, dog } = answer;
  const bytes = response.body?.getReader();
  return async () => {
    if (bytes === undefined || answer.ended) return undefined;
    dog.touch();
    try {
      const next = await bytes.read();
      // How long the reader takes is the reader's affair.
      dog.pause();
      if (!next.done) return next.value;
      answer.ended = true;
      dog.stop();
      return undefined;
    } catch (cause) {
      answer.ended = true;
      dog.stop();
      throw failed(cause, dog, answer.changes);
    }
  };
}

/** Lets go of the connection, read to its end or not. */
export async function close(answer: Answer): Promise<void> {
  const { response, dog } = answer;
  dog.stop();
  if (response.body === null || answer.ended) return;
  answer.ended = true;
  // Ends what is still coming, also where a reader holds it.
  dog.cut(new StoreError("closed", "the answer is not wanted any more"));
  if (!response.body.locked) await response.body.cancel().catch(() => {});
}

function failed(cause: unknown, dog: Watchdog, changes: boolean): unknown {
  const error: unknown = dog.signal.aborted ? dog.signal.reason : StoreError.is(cause) ? cause : translate(new Broken("the way to Drive broke", { cause }));
  // The caller's own reason is not ours to read.
  if (!StoreError.is(error)) return error;
  if (!changes) return undone(error);
  return error.code === "timeout" ? error.with({ applied: "unknown", cause: error.cause }) : error;
}

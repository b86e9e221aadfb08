/** One request over fetch: answers as text, bytes up and down in constant memory, a limit on silence, and no redirect followed. */
import { StoreError, watchdog } from "../../store/index.ts";
import type { Source, Watchdog } from "../../store/index.ts";
import { networkCode } from "./errors.ts";
import type { Refusal } from "./errors.ts";
import type { Settings } from "./options.ts";

export interface Asked {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** From the first slash on, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}
export interface Download extends Refusal {
  /** Null where the answer is no success: then its text is there. */
  readonly body: (AsyncIterable<Uint8Array> & { destroy(): void }) | null;
}

/** The longest answer that is read: a page of 500 entries with names of 16,383 characters has 33 MB at most. */
const LONGEST = 64 << 20;

/** A request with a body of XML or none; its answer whole. */
export async function ask(settings: Settings, asked: Asked, xml?: string): Promise<Refusal> {
  const dog = watchdog(settings.clock, settings.timeoutMs, asked.signal);
  try {
    if (dog.signal.aborted) throw dog.signal.reason;
    if (asked.method !== "GET") dog.linger();
    const answer = await send(settings, asked, dog, xml, xml === undefined ? {} : { "content-type": "application/xml; charset=UTF-8" });
    return { status: answer.status, headers: answer.headers, text: await textOf(answer, dog) };
  } catch (error) {
    throw dog.signal.aborted ? dog.signal.reason : error;
  } finally {
    dog.stop();
  }
}

/** The bytes of a file, down: handed on as they come. */
export async function download(settings: Settings, asked: Asked): Promise<Download> {
  const dog = watchdog(settings.clock, settings.timeoutMs, asked.signal);
  try {
    if (dog.signal.aborted) throw dog.signal.reason;
    const answer = await send(settings, asked, dog, undefined, {});
    const { status, headers } = answer;
    if ((status === 200 || status === 206) && answer.body !== null) return { status, headers, text: "", body: bytesOf(answer.body, dog) };
    const text = await textOf(answer, dog);
    dog.stop();
    return { status, headers, text, body: null };
  } catch (error) {
    const reason: unknown = dog.signal.aborted ? dog.signal.reason : error;
    dog.stop();
    throw reason;
  }
}

export interface Upload extends Refusal {
  readonly bytes: number;
}

/** The bytes of a file, up: a chunk is asked for when the connection takes one. With its length where it is known, else chunked. */
export async function upload(settings: Settings, asked: Asked, source: Source): Promise<Upload> {
  const dog = watchdog(settings.clock, settings.timeoutMs, asked.signal);
  const stream = source.open();
  let bytes = 0;
  let whole = false;
  let failed: { readonly error: unknown } | undefined;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    dog.pause(); // A slow source is no silent service.
    try {
      const chunk = await stream.pull();
      dog.touch();
      if (chunk === undefined) {
        whole = true;
        dog.linger();
        return controller.close();
      }
      bytes += chunk.byteLength;
      controller.enqueue(chunk);
    } catch (error) {
      failed = { error };
      throw error;
    }
  };
  try {
    if (dog.signal.aborted) throw dog.signal.reason;
    let body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>;
    if (stream.inMemory) {
      body = new Uint8Array(await stream.all());
      bytes = body.byteLength;
      whole = true;
      dog.linger();
    } else body = new ReadableStream<Uint8Array>({ pull, cancel: () => stream.close() }, { highWaterMark: 0 });
    const length = source.size === null || stream.inMemory ? {} : { "content-length": String(source.size) };
    const answer = await send(settings, asked, dog, body, { "content-type": "application/octet-stream", ...length });
    const text = await textOf(answer, dog);
    if (!whole) {
      // A refusal that came before the end: the rest of the body is not wanted.
      dog.cut(new StoreError("unavailable", "the request was broken off"));
      if (answer.status < 300) throw new StoreError("unavailable", "the service called the file stored before it had the body", { applied: false });
    }
    return { status: answer.status, headers: answer.headers, text, bytes };
  } catch (error) {
    if (failed !== undefined) throw failed.error;
    throw dog.signal.aborted && !StoreError.is(error) ? dog.signal.reason : error;
  } finally {
    dog.stop();
    await stream.close();
  }
}

function send(
  settings: Settings,
  { method, path, headers }: Asked,
  dog: Watchdog,
  body: string | ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | undefined,
  more: Readonly<Record<string, string>>,
): Promise<Response> {
  // Node's fetch keeps a second copy of a whole stream in memory (a tee, for redirects and retries) unless both of these are said.
  const streams = body instanceof ReadableStream ? { duplex: "half" as const, redirect: "error" as const, window: null } : {};
  const once = (): Promise<Response> =>
    settings.fetch(settings.origin + path, {
      method,
      headers: { "accept-encoding": "identity", ...headers, ...more },
      redirect: "manual",
      signal: dog.signal,
      ...(body === undefined ? {} : { body }),
      ...streams,
    });
  if (method !== "GET") return once();
  // A connection that the service had closed while it was idle: asking again does no harm.
  return once().catch((error: unknown) => {
    if (dog.signal.aborted || !STALE.has(networkCode(error) ?? "")) throw error;
    return once();
  });
}

const STALE: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

async function textOf(answer: Response, dog: Watchdog): Promise<string> {
  if (answer.body === null) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  dog.touch();
  for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
    dog.touch();
    bytes += chunk.byteLength;
    if (bytes > LONGEST) throw new StoreError("unavailable", "the service's answer does not end", { transient: false });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Closing, also unread, lets go of the connection; a service that falls silent in the middle is noticed. */
function bytesOf(body: ReadableStream<Uint8Array>, dog: Watchdog): AsyncIterable<Uint8Array> & { destroy(): void } {
  const reader = body.getReader();
  dog.pause();
  const end = async (): Promise<void> => {
    dog.stop();
    await reader.cancel();
  };
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          dog.touch();
          const next = await reader.read();
          dog.pause(); // How long the reader takes is the reader's affair.
          if (next.done) dog.stop();
          return next.done ? { done: true, value: undefined } : { done: false, value: next.value };
        } catch (error) {
          const reason: unknown = dog.signal.aborted ? dog.signal.reason : error;
          dog.stop();
          throw reason;
        }
      },
      async return() {
        await end();
        return { done: true, value: undefined };
      },
    }),
    destroy: () => void end().catch(() => {}), // What breaks of an answer that nobody wants is nobody's error.
  };
}

/** The bytes of a file, down: handed on as they come, let go of when nobody wants them, and never short. */
import type { Watchdog } from "../../store/index.ts";
import type { IncomingMessage } from "node:http";
import { StoreError, watchdog } from "../../store/index.ts";
import type { Answer } from "./errors.ts";
import { TransferError, answerTo, headersOf, start, textOf } from "./exchange.ts";
import type { Settings } from "./options.ts";
import type { Pool } from "./wire.ts";

export interface Download extends Answer {
  /** Ends after exactly the announced bytes or fails. Null where the answer is an error, whose text is read. */
  readonly body: (AsyncIterable<Uint8Array> & { destroy(): void }) | null;
  readonly reused: boolean;
}

export async function download(
  settings: Settings,
  pool: Pool,
  method: "GET" | "HEAD",
  href: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Download> {
  const dog = watchdog(settings.clock, settings.timeoutMs, signal, "server");
  const request = start(settings, pool, method, href, headers);
  try {
    const answered = answerTo(request, dog);
    request.end();
    const message = await answered;
    const { statusCode: status = 0 } = message;
    const reused = request.reusedSocket;
    if (method === "GET" && (status === 200 || status === 206)) return { status, headers: headersOf(message), text: "", body: bodyOf(message, dog), reused };
    const text = await textOf(message, dog);
    dog.stop();
    return { status, headers: headersOf(message), text, body: null, reused };
  } catch (error) {
    dog.stop();
    if (dog.signal.aborted) throw dog.signal.reason;
    throw StoreError.is(error) ? error : new TransferError(error, request.reusedSocket, false);
  }
}

/** The bytes of an answer. Closing, also unread, lets go of the connection at once; a server that falls silent in the middle is noticed. */
function bodyOf(message: IncomingMessage, dog: Watchdog): AsyncIterable<Uint8Array> & { destroy(): void } {
  const stop = (): unknown => message.destroy(dog.signal.reason as Error);
  if (dog.signal.aborted) stop();
  else dog.signal.addEventListener("abort", stop, { once: true });
  message.once("close", () => dog.stop());
  dog.pause();
  message.on("error", () => {}); // The reader is told by the iterator; nobody else needs to be.
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          dog.touch();
          const next = await chunks.next();
          dog.pause(); // How long the reader takes is the reader's affair.
          return next;
        } catch (error) {
          throw dog.signal.aborted ? dog.signal.reason : error;
        }
      },
      async return() {
        message.destroy();
        return { done: true, value: undefined };
      },
    }),
    destroy() {
      message.destroy();
      dog.stop();
    },
  };
}

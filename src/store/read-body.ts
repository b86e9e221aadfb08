/** The bytes of a read as callers hold them: once, as bytes, text or a stream, and never left open by mistake. */
import { Readable } from "node:stream";
import type { ByteStream } from "./byte-stream.ts";
import { ownBytes } from "./byte-stream.ts";
import type { Entry } from "./entry.ts";
import { StoreError } from "./errors.ts";
import type { Bodies, OpenBody } from "./life.ts";
import type { ReadReply } from "./operations.ts";
import type { ReadResult } from "./options.ts";

/** What the front adds: errors in the words of the caller's call, and the set of bodies that closing ends. */
export interface BodyHost {
  readonly bodies: Bodies;
  explain(error: unknown): unknown;
}

/** A result that was dropped unread still holds a connection: it is let go, and somebody is told. */
const forgotten = new FinalizationRegistry<{ readonly body: ByteStream; readonly path: string }>(({ body, path }) => {
  void body.close().catch(() => {});
  process.emitWarning(`the bytes of ${JSON.stringify(path)} were never read nor closed: hold the result of read() with "await using"`, {
    code: "STRATUS_UNREAD_BODY",
  });
});

/** What a result and whoever ends it from outside share: not the result itself, which nobody but the caller may keep alive. */
interface BodyLife {
  ended: StoreError | undefined;
  complete: boolean;
}

/** Ends the body with the store, and lets go of it when its holder forgets it. A function of its own, so that nothing here holds the result. */
function keepWatch(result: ReadBody, body: ByteStream, life: BodyLife, { bodies }: BodyHost): void {
  const member: OpenBody = {
    end(error) {
      life.ended ??= error;
      void body.close().catch(() => {});
    },
  };
  bodies.add(member);
  body.observe({
    end() {
      bodies.delete(member);
      forgotten.unregister(member);
    },
  });
  forgotten.register(result, { body, path: result.entry.path }, member);
}

export class ReadBody implements ReadResult {
  readonly entry: Entry;
  readonly offset: number;
  readonly length: number | null;
  readonly #body: ByteStream;
  readonly #host: BodyHost;
  readonly #life: BodyLife;
  #used = false;

  constructor(reply: ReadReply, host: BodyHost) {
    const { entry, offset, body } = reply;
    this.entry = entry;
    this.offset = offset;
    this.length = body.length;
    this.#body = body;
    this.#host = host;
    this.#life = { ended: undefined, complete: false };
    // What is in memory holds no connection.
    if (!body.inMemory) keepWatch(this, body, this.#life, host);
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.#take();
    try {
      const bytes = await this.#body.all();
      this.#life.complete = true;
      return ownBytes(this.#body, bytes);
    } catch (error) {
      throw this.#host.explain(this.#life.ended ?? error);
    }
  }

  async text(): Promise<string> {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await this.bytes());
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#take();
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          try {
            const chunk = await this.#pull();
            if (chunk === undefined) controller.close();
            else controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
          } catch (error) {
            controller.error(this.#host.explain(error));
          }
        },
        cancel: () => this.#body.close(),
      },
      { highWaterMark: 0 },
    );
  }

  nodeStream(): Readable {
    this.#take();
    const stream: Readable = new Readable({
      highWaterMark: 0,
      read: () => {
        this.#pull().then(
          (chunk) => stream.push(chunk ?? null),
          (error: unknown) => stream.destroy(this.#host.explain(error) as Error),
        );
      },
      destroy: (error, done) => {
        this.#body.close().then(
          () => done(error),
          () => done(error),
        );
      },
    });
    return stream;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    this.#take();
    return {
      next: async () => {
        try {
          const value = await this.#pull();
          return value === undefined ? { done: true, value: undefined } : { done: false, value };
        } catch (error) {
          throw this.#host.explain(error);
        }
      },
      return: async () => {
        await this.#body.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** Whoever still waits for bytes is told: what had come by then is not all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#life.complete) this.#life.ended ??= new StoreError("closed", "the result of this read was disposed of before its bytes were read");
    await this.#body.close();
  }

  /** The next bytes, the caller's to keep and change. */
  async #pull(): Promise<Uint8Array | undefined> {
    const { ended, complete } = this.#life;
    if (complete) return undefined;
    if (ended !== undefined) throw ended;
    const chunk = await this.#body.pull();
    // Closed by somebody else while this waited.
    if (this.#life.ended !== undefined) throw this.#life.ended;
    if (chunk === undefined) this.#life.complete = true;
    return chunk !== undefined && this.#body.inMemory ? ownBytes(this.#body, chunk) : chunk;
  }

  #take(): void {
    if (this.#used) throw new TypeError("the bytes of a read can be taken only once");
    this.#used = true;
  }
}

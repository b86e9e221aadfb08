/** Counts what passes: one look at the clock when a call begins, one when it ends, one per chunk of a body. */
import { uniform } from "../../store/index.ts";
import type { Backend, Calls, Clock, Entry, ErrorCode, Next, Operation, ReadCall, ReadReply, Replies, Source, WriteCall } from "../../store/index.ts";
import { Exceptions, codeOf } from "./exceptions.ts";
import { Flow } from "./flow.ts";
import { Histogram } from "./histogram.ts";

export class OperationCounters {
  /** Calls that ended, however they did. */
  calls = 0;
  /** Begun and not ended. */
  inFlight = 0;
  /** Given up by the caller: counted apart from failures. */
  aborted = 0;
  failed = 0;
  readonly errors: Map<ErrorCode, number> = new Map();
  /** From the call to its reply; of a read to its first byte. */
  latency: Histogram = new Histogram();
  /** From the first byte of a body to its end. */
  transfer: Histogram = new Histogram();
}

export interface RecorderOptions {
  readonly clock: Clock;
  readonly rateWindowMs: number;
  readonly maxErrorKinds: number;
}
/** Told of each call that ended. */
export type Listener = (operation: Operation, ms: number, error: ErrorCode | undefined) => void;

export class Recorder {
  readonly #clock: Clock;
  readonly up: Flow;
  readonly down: Flow;
  readonly exceptions: Exceptions;
  readonly operations: Map<Operation, OperationCounters> = new Map();
  listener: Listener | undefined;
  sinceMs: number;

  constructor({ clock, rateWindowMs, maxErrorKinds }: RecorderOptions) {
    this.#clock = clock;
    this.up = new Flow(rateWindowMs, clock.monotonic());
    this.down = new Flow(rateWindowMs, clock.monotonic());
    this.exceptions = new Exceptions(maxErrorKinds);
    this.sinceMs = clock.now();
  }

  /** What is under way goes on, and is counted when it ends. */
  reset(): void {
    const now = this.#clock.monotonic();
    this.sinceMs = this.#clock.now();
    this.up.reset(now);
    this.down.reset(now);
    this.exceptions.reset();
    for (const counters of this.operations.values()) {
      counters.calls = 0;
      counters.aborted = 0;
      counters.failed = 0;
      counters.errors.clear();
      counters.latency = new Histogram();
      counters.transfer = new Histogram();
    }
  }

  backend(inner: Backend): Backend {
    return uniform(inner, {
      around: (call, next) => this.#plain(call, next),
      read: (call, next) => this.#read(call, next),
      write: (call, next) => this.#write(call, next),
    });
  }

  async #plain<O extends Operation>(call: Calls[O], next: Next<O>): Promise<Replies[O]> {
    const passage = this.#begin(call.operation);
    try {
      const reply = await next(call);
      passage.replied();
      return reply;
    } catch (error) {
      passage.failed(error);
      throw error;
    }
  }

  async #write(call: WriteCall, next: Next<"write">): Promise<Entry> {
    const passage = this.#begin("write");
    try {
      const entry = await next({ ...call, body: new CountedSource(call.body, passage) });
      passage.replied();
      return entry;
    } catch (error) {
      passage.failed(error);
      throw error;
    }
  }

  async #read(call: ReadCall, next: Next<"read">): Promise<ReadReply> {
    const passage = this.#begin("read");
    try {
      const reply = await next(call);
      // What is in memory has come whole with its reply, and nobody has to read it.
      if (reply.body.inMemory) passage.whole(reply.body.length ?? 0);
      else reply.body.observe(passage);
      return reply;
    } catch (error) {
      passage.failed(error);
      throw error;
    }
  }

  #begin(operation: Operation): Passage {
    let counters = this.operations.get(operation);
    if (counters === undefined) this.operations.set(operation, (counters = new OperationCounters()));
    counters.inFlight++;
    return new Passage(this, operation, counters, this.#clock);
  }
}

/** One call on its way through, to the end of its body. */
class Passage {
  readonly #recorder: Recorder;
  readonly #operation: Operation;
  readonly #counters: OperationCounters;
  readonly #clock: Clock;
  readonly #begun: number;
  /** When the first byte passed. */
  #first: number | undefined;
  #bytes = 0;
  #over = false;

  constructor(recorder: Recorder, operation: Operation, counters: OperationCounters, clock: Clock) {
    this.#recorder = recorder;
    this.#operation = operation;
    this.#counters = counters;
    this.#clock = clock;
    this.#begun = clock.monotonic();
  }

  get #flow(): Flow {
    return this.#operation === "write" ? this.#recorder.up : this.#recorder.down;
  }

  /** As an observer of a body: without a promise, and without anything new per chunk. */
  chunk({ byteLength }: Uint8Array): void {
    this.pass(byteLength);
  }

  pass(byteLength: number): void {
    if (byteLength === 0) return;
    const now = this.#clock.monotonic();
    // Bytes that pass after the call has failed are bytes, and open nothing that nobody would close.
    if (this.#first === undefined && !this.#over) {
      this.#first = now;
      this.#flow.begin(now);
      if (this.#operation === "read") this.#counters.latency.add(now - this.#begun);
    }
    this.#bytes += byteLength;
    this.#flow.add(byteLength, now);
  }

  /** The body of a read is over. One that its reader left early failed in nothing. */
  end({ error }: { readonly error: unknown }): void {
    this.#end(error);
  }

  /** A read whose body came with the reply: its bytes were on their way during the call. */
  whole(bytes: number): void {
    const now = this.#clock.monotonic();
    if (bytes > 0) {
      this.#flow.begin(this.#begun);
      this.#flow.add(bytes, now);
      this.#flow.end(now);
    }
    this.#bytes = bytes;
    this.#end(undefined);
  }

  replied(): void {
    this.#end(undefined);
  }

  failed(error: unknown): void {
    this.#end(error);
  }

  #end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const now = this.#clock.monotonic();
    const counters = this.#counters;
    counters.inFlight--;
    counters.calls++;
    if (this.#first === undefined || this.#operation !== "read") counters.latency.add(now - this.#begun);
    if (this.#first !== undefined) {
      this.#flow.end(now);
      counters.transfer.add(now - this.#first);
    }
    const code = error === undefined ? undefined : codeOf(error);
    if (code === undefined || code === "not-modified") {
      if (this.#bytes > 0) this.#flow.bytesOk += this.#bytes;
    } else {
      if (code === "aborted") counters.aborted++;
      else {
        counters.failed++;
        counters.errors.set(code, (counters.errors.get(code) ?? 0) + 1);
        this.#recorder.exceptions.add(this.#operation, error, this.#clock.now());
      }
    }
    this.#recorder.listener?.(this.#operation, now - this.#begun, code === "not-modified" ? undefined : code);
  }
}

/** The body of a write, each of its streams watched: what is sent again counts again. */
class CountedSource implements Source {
  readonly #source: Source;
  readonly #passage: Passage;

  constructor(source: Source, passage: Passage) {
    this.#source = source;
    this.#passage = passage;
  }
  get size(): number | null {
    return this.#source.size;
  }
  get replayable(): boolean {
    return this.#source.replayable;
  }
  get opened(): boolean {
    return this.#source.opened;
  }
  get inMemory(): boolean {
    return this.#source.inMemory;
  }
  open(range?: Parameters<Source["open"]>[0]): ReturnType<Source["open"]> {
    const stream = range === undefined ? this.#source.open() : this.#source.open(range);
    // Bytes in memory are all handed over with the stream; watching them would cost more than all the rest.
    if (stream.inMemory) this.#passage.pass(stream.length ?? 0);
    else stream.observe({ chunk: ({ byteLength }) => this.#passage.pass(byteLength) });
    return stream;
  }
}

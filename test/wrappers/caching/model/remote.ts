/**
 * The simulated remote: a service whose every change is a request that waits for the program. The program decides when it takes effect, when its answer
 * comes, whether the answer is lost, and whether a lost request lands late, within `afterlifeMs`. Questions are answered at once, or fail when told.
 */
import { ModelState, referenceProvider } from "../../../../src/conformance/model/reference.ts";
import { toSource } from "../../../../src/store/body.ts";
import { StoreError, createStore } from "../../../../src/store/index.ts";
import type { Calls, Capabilities, Entry, Provider, Store } from "../../../../src/store/index.ts";
import type { ProgramClock } from "./clock.ts";
import type { Tree } from "../../../../src/conformance/crash/tree.ts";
import type { Versions } from "./versions.ts";

/** What kind of service it is. */
export interface Shape {
  /** Conditional requests. */
  readonly conditions: boolean;
  /** Copies and moves of trees in one request; else the caller has to go file by file. */
  readonly trees: boolean;
  /** Copies and moves of files in one request; else they are read and written. */
  readonly transfers: boolean;
  readonly etags: boolean;
  readonly hashes: boolean;
  /** A moved file gets a new etag. */
  readonly movesChangeEtags: boolean;
  /** Entries per page of a listing. Default 1,000. */
  readonly pageSize?: number;
}
/** "full" and "denied": refused for good, as far as the service is concerned. */
export type Ending = "ok" | "applied" | "failed" | "lost" | "lost-applied" | "full" | "denied";
export const AFTERLIFE_MS = 10_000;
/** Bodies are read in pieces: a large version has four. */
const PIECE_BYTES = 64;

type Mutation = "write" | "delete" | "mkdir" | "copy" | "move";
type Result = { readonly value: unknown } | { readonly error: unknown };
export interface Request {
  readonly text: string;
  readonly effect: () => Promise<Result>;
  readonly answer: (result: Result) => void;
  /** Its effect, once it has happened. */
  result?: Result;
}
interface Late {
  readonly request: Request;
  readonly untilMs: number;
}
export interface Connection {
  readonly store: Store;
  /** The process that held it is dead: nothing it asks from now on leaves, no answer comes, and what was under way may land late. */
  cut(): void;
}

export class Remote {
  readonly #state = new ModelState();
  readonly #clock: ProgramClock;
  readonly #capabilities: Partial<Capabilities>;
  readonly #shape: Shape;
  /** Requests without an answer, oldest first. */
  readonly requests: Request[] = [];
  #late: Late[] = [];
  /** So many questions (stat, read, list) from now on fail. */
  failingQuestions = 0;
  /** So many bodies from now on break off after their first piece. */
  breakingBodies = 0;
  /** Requests that came to an end. */
  ended = 0;
  /** Told after each change of what is there, however it came about. */
  changed: (() => void) | undefined;
  /** Told of each question before it is answered; `lists`: of a directory's children. */
  asked: ((path: string, lists: boolean) => void) | undefined;
  /** Every effect and ending, for people. */
  readonly log: string[] = [];

  constructor(shape: Shape, clock: ProgramClock) {
    this.#clock = clock;
    this.#shape = shape;
    this.#capabilities = capabilitiesOf(shape);
  }

  get #provider(): Provider & { readonly kind: "reference" } {
    const { pageSize } = this.#shape;
    return referenceProvider({ state: this.#state, capabilities: this.#capabilities, clock: this.#clock.process(), pageSize, chunkBytes: PIECE_BYTES });
  }

  /** The service itself, at once and without faults: for what was there before, and for a second client. */
  direct(): Store {
    return createStore(this.#provider, { name: "direct" });
  }

  connect(): Connection {
    const service = this.#provider;
    const own = new Set<Request>();
    let cut = false;
    const question = <A extends { readonly path: string; readonly operation: string }, R>(ask: (call: A) => Promise<R>) => {
      return async (call: A): Promise<R> => {
        if (cut) return never();
        if (this.failingQuestions > 0) {
          this.failingQuestions -= 1;
          throw new StoreError("unavailable", "this question failed, as the program says", { applied: false });
        }
        this.asked?.(call.path, call.operation === "list");
        return ask(call);
      };
    };
    const change = async <O extends Mutation>(operation: O, call: Calls[O], effect: () => Promise<unknown>): Promise<unknown> => {
      if (cut) return never();
      call.signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        const request: Request = {
          text: `${operation} ${call.path}${"to" in call ? ` -> ${call.to}` : ""}${conditionOf(call)}`,
          effect: async () =>
            effect().then(
              (value) => ({ value }),
              (error: unknown) => ({ error }),
            ),
          answer: (result) => {
            call.signal?.removeEventListener("abort", abort);
            own.delete(request);
            if (cut) return;
            if ("error" in result) reject(result.error);
            else resolve(result.value);
          },
        };
        // Whoever gives up does not take back what has left.
        const abort = (): void => this.#lose(request);
        call.signal?.addEventListener("abort", abort, { once: true });
        own.add(request);
        this.requests.push(request);
      });
    };
    const provider: Provider & { readonly kind: "reference" } = {
      ...service,
      stat: question((call) => service.stat(call)),
      read: question(async (call) => {
        const reply = await service.read(call);
        if (this.breakingBodies === 0) return reply;
        this.breakingBodies -= 1;
        return { ...reply, body: brokenOff(reply.body as AsyncIterable<Uint8Array>) };
      }),
      list: question((call) => service.list(call)),
      async write(call) {
        // What is sent is the whole body: one that fails sends nothing that anybody could find.
        const stream = call.body.open();
        const bytes = (await stream.all()).slice();
        return (await change("write", call, () => service.write({ ...call, body: toSource(bytes), signal: undefined }))) as Entry;
      },
      async delete(call) {
        await change("delete", call, () => service.delete({ ...call, signal: undefined }));
      },
    };
    if (service.mkdir !== undefined) {
      const { mkdir } = service;
      provider.mkdir = async (call) => (await change("mkdir", call, () => mkdir({ ...call, signal: undefined }))) as Entry;
    }
    if (service.copy !== undefined) {
      const { copy } = service;
      provider.copy = async (call) => (await change("copy", call, () => copy({ ...call, signal: undefined }))) as Entry;
    }
    if (service.move !== undefined) {
      const { move } = service;
      provider.move = async (call) => (await change("move", call, () => this.#moved(move({ ...call, signal: undefined }), call.to))) as Entry;
    }
    return {
      store: createStore(provider, { name: "remote" }),
      cut: () => {
        cut = true;
        for (const request of own) this.#lose(request);
      },
    };
  }

  /** Where etags change by moves, all below the target are new ones. */
  async #moved(moving: Promise<Entry>, to: string): Promise<Entry> {
    const entry = await moving;
    if (!this.#shape.movesChangeEtags) return entry;
    let etag = entry.etag;
    this.#state.change(this.#clock.nowMs, (files, _directories, version) => {
      for (const [path, file] of files) if (path === to || path.startsWith(`${to}/`)) files.set(path, { ...file, version });
      if (entry.kind === "file" && etag !== null) etag = `v${version}`;
    });
    return { ...entry, etag };
  }

  /** Ends the i-th request as told; false where none waits. */
  async end(index: number, ending: Ending): Promise<boolean> {
    const request = this.requests[index % Math.max(1, this.requests.length)];
    if (request === undefined) return false;
    this.ended += 1;
    this.log.push(`${ending}: ${request.text}`);
    switch (ending) {
      case "ok":
        await this.#takeEffect(request);
        this.#answered(request, request.result as Result);
        break;
      case "applied":
        await this.#takeEffect(request);
        break;
      case "failed":
      case "full":
      case "denied":
        // One that has had its effect cannot be refused any more.
        this.#answered(request, request.result ?? { error: refusal(ending) });
        break;
      case "lost-applied":
        await this.#takeEffect(request);
        this.#lose(request);
        break;
      case "lost":
        this.#lose(request);
    }
    return true;
  }

  /** The i-th lost request that can still land does. */
  async land(index: number): Promise<void> {
    this.#late = this.#late.filter(({ untilMs }) => this.#clock.elapsedMs < untilMs);
    const late = this.#late[index % Math.max(1, this.#late.length)];
    if (late === undefined) return;
    this.#late = this.#late.filter((other) => other !== late);
    this.log.push(`late: ${late.request.text}`);
    await this.#takeEffect(late.request);
  }

  /** Moves and copies that have left and may still have their effect, whatever is there by then. */
  get transfers(): readonly Transfer[] {
    const late = this.#late.filter(({ untilMs }) => this.#clock.elapsedMs < untilMs).map(({ request }) => request);
    return [...this.requests, ...late].flatMap((request) => (request.result === undefined ? (transferOf(request) ?? []) : []));
  }

  async #takeEffect(request: Request): Promise<void> {
    if (request.result === undefined) {
      request.result = await request.effect();
      this.changed?.();
    }
    if ("error" in request.result) this.log.push(`  refused: ${(request.result.error as Error).message}`);
  }

  #answered(request: Request, result: Result): void {
    this.requests.splice(this.requests.indexOf(request), 1);
    request.answer(result);
  }

  #lose(request: Request): void {
    const index = this.requests.indexOf(request);
    if (index === -1) return;
    this.requests.splice(index, 1);
    if (request.result === undefined) this.#late.push({ request, untilMs: this.#clock.elapsedMs + AFTERLIFE_MS });
    request.answer({ error: new StoreError("unavailable", "the answer was lost, as the program says", { applied: "unknown" }) });
  }

  /** What is there: versions by path, directories as null; bytes that are no version as "?". */
  tree(versions: Versions): { readonly tree: Tree; readonly faults: readonly string[] } {
    const { files, directories } = this.#state.tree;
    const faults: string[] = [];
    const tree = new Map<string, number | null>([...directories.keys()].map((path) => [path, null]));
    for (const [path, file] of files) {
      const version = versions.of(file.bytes, file.contentType);
      const fault = version === undefined ? "no version, or torn" : versions.fault(version, { ...file, kind: "file", size: file.bytes.length, complete: true });
      if (fault !== undefined) faults.push(`the remote's ${path}: ${fault}`);
      tree.set(path, version ?? -1);
    }
    return { tree, faults };
  }
}

export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly isMove: boolean;
}

function transferOf({ text }: Request): Transfer | undefined {
  const [, operation, from, to] = /^(move|copy) (\S+) -> (\S+)/.exec(text) ?? [];
  return from === undefined || to === undefined ? undefined : { from, to, isMove: operation === "move" };
}

async function* brokenOff(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    yield piece;
    throw new StoreError("unavailable", "the body broke off, as the program says");
  }
}

function capabilitiesOf(shape: Shape): Partial<Capabilities> {
  const condition = shape.conditions ? "native" : false;
  const trees = shape.transfers && shape.trees ? "native" : "emulated";
  return {
    writeIfAbsent: condition,
    writeIfMatch: shape.etags ? condition : false,
    deleteIfMatch: shape.etags ? condition : false,
    readIfMatch: shape.etags ? "native" : false,
    readIfNoneMatch: shape.etags ? "native" : false,
    copy: shape.transfers ? "native" : "emulated",
    move: shape.transfers ? "native" : "emulated",
    copyTree: trees,
    moveTree: trees,
    deleteRecursive: shape.trees ? "native" : "emulated",
    copyIfAbsent: shape.conditions ? (shape.transfers ? "native" : "emulated") : false,
    moveIfAbsent: shape.conditions ? (shape.transfers ? "native" : "emulated") : false,
    etag: shape.etags,
    hashes: shape.hashes ? ["md5"] : [],
    afterlifeMs: AFTERLIFE_MS,
  };
}

function conditionOf(of: Calls[Mutation]): string {
  const call: { readonly ifAbsent?: boolean; readonly ifMatch?: string | undefined; readonly recursive?: boolean; readonly path: string } = of;
  return `${call.ifAbsent === true ? " if absent" : ""}${call.ifMatch === undefined ? "" : ` if ${call.ifMatch}`}${call.recursive === true ? " recursive" : ""}`;
}

function refusal(ending: "failed" | "full" | "denied"): StoreError {
  const code = ending === "failed" ? "unavailable" : ending === "full" ? "no-space" : "permission-denied";
  return new StoreError(code, "refused, as the program says", { applied: false });
}

/** Nothing comes back to a process that is dead. */
function never<T>(): Promise<T> {
  return new Promise(() => {});
}

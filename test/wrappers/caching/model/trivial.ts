/**
 * Subjects that prove the harness. `plain` hands everything through, so every call waits for the remote. `mirror` is the simplest write-back there is: a
 * copy of everything in memory, a log that is sent one change after the other, both written to one file at each change; after a lost answer it waits until
 * nothing can land any more and sends again. It can have one bug, which programs must find.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memory } from "../../../../src/providers/memory/index.ts";
import { hasCode } from "../../../../src/store/index.ts";
import type { Clock, Store, WriteOptions } from "../../../../src/store/index.ts";
import { AFTERLIFE_MS } from "./remote.ts";
import type { Process, Subject } from "./subject.ts";

const nothing = { evict: async () => {}, refresh: () => {}, abandon: () => {} };

export const plain: Subject = {
  name: "plain",
  persistent: false,
  start: async ({ remote }) => ({ ...nothing, store: remote, flush: async () => {}, pending: () => [] }),
};

export const mirrorBugs = [
  "loses deletes",
  "cuts bytes",
  "forgets types",
  "sends backwards",
  "flushes too early",
  "sends the newest bytes of a path",
  "does not wait after a lost answer",
  "gives up after a failure",
  "forgets the log in a crash",
  "remembers the last change only after the answer",
] as const;
export type MirrorBug = (typeof mirrorBugs)[number];

interface Sent {
  readonly verb: "write" | "delete" | "mkdir" | "copy" | "move";
  readonly path: string;
  readonly to?: string;
  readonly recursive?: boolean;
  readonly file?: File;
}
interface File {
  readonly path: string;
  /** base64; undefined for a directory. */
  readonly bytes?: string;
  readonly contentType: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
}
interface Saved {
  readonly tree: readonly File[];
  readonly log: readonly Sent[];
}

export function mirror(bug?: MirrorBug): Subject {
  return {
    name: `mirror${bug === undefined ? "" : ` that ${bug}`}`,
    persistent: true,
    async start({ directory, remote, clock, point }) {
      const copy = memory();
      const file = join(directory, "state.json");
      const saved = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Saved) : { tree: await contents(remote, "/"), log: [] };
      for (const one of saved.tree) await put(copy, one);
      const made = new Mirror(bug, copy, remote, clock, [...saved.log], (state) => writeFileSync(file, JSON.stringify(state)), point);
      if (bug === "forgets the log in a crash") made.log.length = 0;
      // The first one may be under way, sent by the process that died.
      if (saved.log.length > 0) void made.send(clock.sleep(AFTERLIFE_MS));
      return made.process();
    },
  };
}

class Mirror {
  readonly log: Sent[];
  readonly #bug: MirrorBug | undefined;
  readonly #copy: Store;
  readonly #remote: Store;
  readonly #clock: Clock;
  readonly #save: (state: Saved) => void;
  readonly #point: (name: string) => void;
  #sending: Promise<void> | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(bug: MirrorBug | undefined, copy: Store, remote: Store, clock: Clock, log: Sent[], save: (state: Saved) => void, point: (name: string) => void) {
    this.#bug = bug;
    this.#copy = copy;
    this.#remote = remote;
    this.#clock = clock;
    this.log = log;
    this.#save = save;
    this.#point = point;
  }

  process(): Process {
    const copy = this.#copy;
    const changes: Partial<Store> = {
      write: (path, body, options) =>
        this.#change(
          () => copy.write(path, body, options),
          async () => ({ verb: "write", path, file: (await contents(copy, path))[0] as File }),
        ),
      delete: (path, options) => this.#change(() => copy.delete(path, options), { verb: "delete", path, recursive: options?.recursive ?? false }),
      mkdir: (path) => this.#change(() => copy.mkdir(path), { verb: "mkdir", path }),
      copy: (path, to) => this.#change(() => copy.copy(path, to), { verb: "copy", path, to }),
      move: (path, to) => this.#change(() => copy.move(path, to), { verb: "move", path, to }),
    };
    const store = new Proxy(copy, { get: (_, key) => (key in changes ? changes[key as keyof Store] : bound(copy, key)) });
    const flush = async (): Promise<void> => {
      if (this.#bug === "flushes too early") return;
      while (this.log.length > 0) await (this.#sending ?? this.#clock.sleep(1000));
    };
    return { ...nothing, store, flush, pending: () => this.log.map(({ path }) => path) };
  }

  /** One after the other, so that what is saved is a moment that there was. */
  #inTurn<T>(what: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(what);
    this.#turn = mine.then(
      () => {},
      () => {},
    );
    return mine;
  }

  #change<T>(change: () => Promise<T>, sent: Sent | (() => Promise<Sent>)): Promise<T> {
    return this.#inTurn(async () => {
      const answer = await change();
      const one = typeof sent === "function" ? await sent() : sent;
      if (this.#bug !== "loses deletes" || one.verb !== "delete") this.log.push(one);
      await this.#remember();
      this.#point("remembered");
      void this.send();
      return answer;
    });
  }

  async #remember(): Promise<void> {
    const tree = await contents(this.#copy, "/");
    this.#save({ tree, log: this.#bug === "remembers the last change only after the answer" ? this.log.slice(0, -1) : this.log });
  }

  send(after?: Promise<void>): Promise<void> {
    this.#sending ??= this.#sendAll(after).finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async #sendAll(after: Promise<void> | undefined): Promise<void> {
    await after;
    if (this.#bug === "sends backwards") this.log.reverse();
    for (let next = this.log[0]; next !== undefined; next = this.log[0]) {
      try {
        await this.#sendOne(next);
      } catch (error) {
        if (hasCode(error, "unavailable") && this.#bug !== "gives up after a failure") {
          await this.#clock.sleep(this.#bug === "does not wait after a lost answer" ? 0 : AFTERLIFE_MS);
          continue;
        }
        // Refused the second time, because the first had been done.
      }
      await this.#inTurn(async () => {
        this.log.splice(this.log.indexOf(next), 1);
        await this.#remember();
      });
      this.#point("sent");
    }
  }

  async #sendOne({ verb, path, to = "", recursive = false, file }: Sent): Promise<unknown> {
    if (verb === "delete") return this.#remote.delete(path, { recursive });
    if (verb === "mkdir") return this.#remote.mkdir(path, { existOk: true });
    if (verb !== "write") return this.#remote[verb](path, to);
    const sent = this.#bug === "sends the newest bytes of a path" ? (await contents(this.#copy, path).catch(() => []))[0] : file;
    if (sent?.bytes === undefined) return undefined;
    return put(this.#remote, {
      ...sent,
      ...(this.#bug === "cuts bytes" ? { bytes: Buffer.from(sent.bytes, "base64").subarray(0, -1).toString("base64") } : {}),
      ...(this.#bug === "forgets types" ? { contentType: null } : {}),
    });
  }
}

function bound(store: Store, key: string | symbol): unknown {
  const value: unknown = Reflect.get(store, key, store);
  return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(store) : value;
}

/** A file, or everything below a directory, each after its parent. */
async function contents(store: Store, path: string): Promise<File[]> {
  const entry = await store.stat(path);
  const { contentType, metadata } = entry;
  if (entry.kind === "file") return [{ path, bytes: Buffer.from(await (await store.read(path)).bytes()).toString("base64"), contentType, metadata }];
  const below: File[] = path === "/" ? [] : [{ path, contentType: null, metadata: null }];
  for (const child of await store.list(path).toArray()) below.push(...(await contents(store, child.path)));
  return below;
}

async function put(store: Store, { path, bytes, contentType, metadata }: File): Promise<unknown> {
  if (bytes === undefined) return store.mkdir(path, { existOk: true });
  const options: WriteOptions = { ...(contentType === null ? {} : { contentType }), ...(metadata === null ? {} : { metadata }) };
  return store.write(path, Buffer.from(bytes, "base64"), options);
}

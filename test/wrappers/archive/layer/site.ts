/** One installation of the real layer: its directory, its clock, the store below it, and what becomes of the calls that were made on it. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../../../../src/store/index.ts";
import type { Clock, Store } from "../../../../src/store/index.ts";
import { seeded } from "../../../../src/conformance/random.ts";
import { compare, isBelow } from "../model/join.ts";
import type { Archive, Rec, Tomb } from "../model/join.ts";
import type { ArchiveControl } from "../../../../src/wrappers/archive/index.ts";
import type { Opened } from "../../../../src/wrappers/archive/opened.ts";
import type { Client, Service } from "./service.ts";
import type { OpenLayer, ProofStore } from "./subject.ts";
import type { Watch } from "./watch.ts";
import { violation } from "../model/violation.ts";

export interface Call {
  readonly verb: "write" | "delete" | "mkdir" | "copy" | "move";
  readonly path: string;
  readonly to?: string | undefined;
  readonly recursive?: boolean | undefined;
  readonly body?: Uint8Array | undefined;
}
/** What a call became. */
export interface Answer {
  readonly call: Call;
  /** Stamp of the newest archive that its line had sent when it was made. */
  readonly after: number;
  /** Those that ran at the same time: of several changes of one path only the last may be written. */
  readonly beside: Answer[];
  error?: StoreError | undefined;
  done: boolean;
}

export class Site {
  readonly number: number;
  readonly #service: Service;
  readonly #base: string;
  readonly #open: OpenLayer;
  readonly #clock: Clock;
  readonly #seed: string;
  #directories = 0;
  #lines = 0;
  directory: string;
  client: Client;
  store: ProofStore;
  /** Of the layer, once it is open. */
  parts: Opened | undefined;
  line: string;
  /** Calls without an answer yet. */
  running = new Set<Answer>();
  /** Calls that this process was told of, in order. */
  answers: Answer[] = [];
  readonly #abandoned: Store[] = [];
  #armed: { readonly step: string; left: number } | undefined;
  /** The disk of a process that has come to its step. */
  #found: string | undefined;

  constructor(number: number, service: Service, base: string, clock: Clock, seed: string, open: OpenLayer) {
    this.number = number;
    this.#service = service;
    this.#base = join(base, String(number));
    this.#open = open;
    this.#clock = clock;
    this.#seed = seed;
    this.directory = this.#nextDirectory();
    this.line = this.#nextLine();
    this.client = service.client(String(number));
    this.store = this.#opened();
  }

  #nextDirectory(): string {
    const directory = join(this.#base, String(this.#directories++));
    mkdirSync(directory, { recursive: true });
    return directory;
  }
  #nextLine(): string {
    return `${this.number}/${this.#lines++}`;
  }
  #opened(): ProofStore {
    const random = seeded(`${this.#seed} ${this.number} ${this.#directories}`);
    const { client } = this;
    const opened = (parts: Opened): void => {
      if (this.client === client) this.parts = parts;
    };
    const step = (name: string): void => {
      if (this.client === client) this.#step(name);
    };
    return this.#open(client.store(), { directory: this.directory, clock: this.#clock, random, opened, step });
  }

  /** Ends the process when it comes to this step for the n-th time. */
  crashAt(step: string, nth = 1): void {
    this.#armed = { step, left: nth };
  }

  /** What its disk holds at this moment is what the next process finds; nothing of it leaves any more. */
  #step(name: string): void {
    if (this.#armed?.step !== name || --this.#armed.left > 0) return;
    this.#armed = undefined;
    this.#found = this.#nextDirectory();
    cpSync(this.directory, this.#found, { recursive: true });
    this.client.cut();
  }

  /** The next process starts, if the last one came to its step. */
  finishCrash(): boolean {
    const found = this.#found;
    if (found === undefined) return false;
    this.#found = undefined;
    this.directory = found;
    this.#restart();
    return true;
  }

  #restart(): void {
    this.parts = undefined;
    this.#abandoned.push(this.store);
    this.running = new Set();
    this.client = this.#service.client(String(this.number));
    this.store = this.#opened();
  }

  /** The process ends here and now; what its disk holds stays. `wipe`: but for the list of its own ids, that is lost too. */
  crash(wipe: "index" | "everything" | undefined): void {
    const before = this.directory;
    this.directory = this.#nextDirectory();
    if (wipe !== "everything") cpSync(before, this.directory, { recursive: true });
    if (wipe === "index") for (const end of ["", "-wal", "-shm"]) rmSync(join(this.directory, `archive.db${end}`), { force: true });
    this.client.cut();
    this.#armed = undefined;
    if (wipe !== undefined) this.line = this.#nextLine();
    this.#restart();
  }

  /** Open, so that it can be told to do something by itself. */
  async control(): Promise<ArchiveControl> {
    await this.store.open();
    return this.store.layers.archive;
  }

  /** Packs own archives again, whether it is worth it or not: the k-th, oldest first, where bit k of the mask is set. */
  async repack(mask: number): Promise<void> {
    await this.store.open();
    const { needs, repacker } = this.parts as Opened;
    const own = [...needs.own()].sort((a, b) => a.time - b.time || (a.name < b.name ? -1 : 1));
    await repacker.repackThese(new Set(own.filter((_, k) => ((mask >> (k % 8)) & 1) === 1).map(({ name }) => name)));
  }

  /** Of what is left of all its processes. */
  async end(): Promise<void> {
    for (const store of [...this.#abandoned, this.store]) await store.close({ signal: AbortSignal.abort() });
  }

  start(call: Call, watch: Watch): Answer {
    const sent = watch.sentBy(this.line);
    const answer: Answer = { call, after: Math.max(0, ...sent.map(({ stamp }) => stamp[0])), beside: [...this.running], done: false };
    for (const other of this.running) other.beside.push(answer);
    const { line, running } = this;
    running.add(answer);
    const finish = (error?: unknown): void => {
      this.#service.events++;
      if (this.running !== running) return; // Told to a process that is dead.
      running.delete(answer);
      answer.done = true;
      if (error !== undefined && !StoreError.is(error)) watch.fault ??= error as Error;
      answer.error = error as StoreError | undefined;
      this.answers.push(answer);
      if (error === undefined) this.#acknowledged(answer, line, watch);
    };
    this.#make(call).then(() => finish(), finish);
    return answer;
  }

  async #make({ verb, path, to = "", recursive = false, body }: Call): Promise<unknown> {
    switch (verb) {
      case "write":
        return this.store.write(path, body as Uint8Array);
      case "mkdir":
        return this.store.mkdir(path);
      case "delete":
        return this.store.delete(path, { recursive });
      case "copy":
      case "move":
        return this.store[verb](path, to);
    }
  }

  /** What was acknowledged stands in an archive of this line that landed; what was deleted, and was sent before, never comes back. */
  #acknowledged({ call, after, beside }: Answer, line: string, watch: Watch): void {
    const own = watch.landed.filter(({ name }) => watch.checks.lines.get(name) === line);
    const archives = own.filter(({ stamp }) => stamp[0] > after);
    const newest = (found: (record: Rec) => boolean): Rec | undefined => archives.flatMap(({ records }) => records.filter(found)).at(-1);
    const target = call.verb === "copy" || call.verb === "move" ? (call.to as string) : call.path;
    if (call.verb !== "delete" && !(call.path === target && call.verb !== "write" && call.verb !== "mkdir")) {
      const content = call.body === undefined ? undefined : createHash("sha256").update(call.body).digest("base64url");
      const record = newest(({ path, content: other }) => path === target && (content === undefined || other === content));
      if (record === undefined && !beside.some((other) => touches(other.call, target)))
        watch.fault ??= violation(`acknowledged and not stored: ${call.verb} ${call.path} ${call.to ?? ""} by ${line}`);
      if (record !== undefined) watch.checks.wrote(line, record);
    }
    if (call.verb === "delete" || (call.verb === "move" && call.path !== target)) {
      const tomb = archives.filter((archive) => archive.tombs.some((one) => one.path === call.path && !isPacked(one, archive, own))).at(-1);
      const at = tomb?.stamp ?? ([after + 1, ""] as const);
      watch.checks.deleted({ path: call.path, tree: call.recursive === true || call.verb === "move", line, at });
    }
  }
}

/** Of an older archive, packed again: no delete of this moment. */
function isPacked({ path, upTo }: Tomb, { stamp }: Archive, own: readonly Archive[]): boolean {
  return own.some((other) => compare(other.stamp, stamp) < 0 && other.tombs.some((one) => one.path === path && compare(one.upTo, upTo) === 0));
}

function touches({ path, to }: Call, target: string): boolean {
  return [path, to].some((one) => one !== undefined && (one === target || isBelow(one, target) || isBelow(target, one)));
}

/** Installations of the real layer on one store, under a program; after each step the checks of the model, at the end the same view for everybody. */
import { quiet } from "./turns.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { StoreError, manualClock } from "../../../../src/store/index.ts";
import type { Clock } from "../../../../src/store/index.ts";
import type { Viewer } from "../model/checks.ts";
import type { Rec } from "../model/join.ts";
import type { FolderView } from "../independent/folder.ts";
import { bytesOf, readFolder, shown } from "../independent/folder.ts";
import type { Command, Stale, Verb } from "./commands.ts";
import { scratch } from "../../../scratch.ts";
import { Service } from "./service.ts";
import type { Client } from "./service.ts";
import { Site } from "./site.ts";
import type { Answer, Call } from "./site.ts";
import { MINUTE, SMALL_BYTES, TIMING, layerWith } from "./subject.ts";
import type { OpenLayer } from "./subject.ts";
import { Watch } from "./watch.ts";
import { violation } from "../model/violation.ts";

const START = 1_700_000_000_000;
const SKEW = [0, -7 * MINUTE, 9 * MINUTE];
const FOLDER = "/.stratus-archive";

export interface LayerOptions {
  readonly installations: number;
  readonly open?: OpenLayer | undefined;
  readonly settleMs?: number | undefined;
  /** How far the clocks of the installations are ahead. */
  readonly skewMs?: readonly number[] | undefined;
}

export class LayerWorld {
  readonly clock: Clock & { advance(ms: number): Promise<void> } = manualClock(START);
  readonly service: Service;
  readonly watch: Watch;
  readonly sites: Site[] = [];
  readonly #base: string;
  readonly #open: OpenLayer;
  readonly #lines = new Map<Client, string>();
  readonly #skewMs: readonly number[];
  #bodies = 0;
  calls = 0;

  constructor({ installations, open = layerWith(), settleMs = TIMING.settleMs, skewMs = SKEW }: LayerOptions) {
    this.#skewMs = skewMs;
    this.#base = mkdtempSync(join(scratch(), "archive-proof-"));
    this.#open = open;
    this.service = new Service(() => this.clock.now(), settleMs, TIMING.lateMs);
    this.watch = new Watch(this.service, (client) => this.#lines.get(client) as string);
    for (let i = 0; i < installations; i++) this.sites.push(this.#site(i));
  }

  #site(i: number): Site {
    const skew = this.#skewMs[i % this.#skewMs.length] as number;
    const { clock } = this;
    const own: Clock = { now: () => clock.now() + skew, monotonic: () => clock.monotonic(), sleep: (ms, signal, options) => clock.sleep(ms, signal, options) };
    const site = new Site(i, this.service, this.#base, own, "proof", this.#open);
    this.#lines.set(site.client, site.line);
    return site;
  }

  /** A body that nobody has written before. */
  body(bytes: number): Buffer {
    const text = `body ${++this.#bodies} `;
    return Buffer.from(text.repeat(Math.ceil(bytes / text.length)).slice(0, Math.max(bytes, text.length)));
  }

  async rest(): Promise<void> {
    await quiet(() => this.service.events);
  }

  async run(commands: readonly Command[]): Promise<void> {
    for (const command of commands) await this.step(command);
    await this.quietEnd();
  }

  async step(command: Command): Promise<void> {
    const site = "i" in command ? (this.sites[command.i % this.sites.length] as Site) : undefined;
    if ("stale" in command) this.service.stale = minutes(command.stale);
    if (site !== undefined && "fly" in command) site.client.hold = command.fly;
    await this.#do(command, site as Site);
    await this.rest();
    for (const each of this.sites) if (each.finishCrash()) this.#lines.set(each.client, each.line);
    if (site !== undefined) site.client.hold = false;
    this.service.failingPage = 0;
    this.service.forgetOlderThan(this.clock.now() - TIMING.lateMs);
    this.watch.check();
  }

  async #do(command: Command, site: Site): Promise<void> {
    switch (command.do) {
      case "call":
        this.call(site, command.verb, command.path, command.to);
        await this.rest();
        if (!command.wait) this.#background(this.#flush(site));
        break;
      case "flush":
        this.#background(this.#flush(site));
        break;
      case "read":
        await this.read(site, command.path);
        break;
      case "net":
        this.service.answer(command.k, command.how);
        break;
      case "late":
        this.service.land(command.k);
        break;
      case "link":
        site.client.down = command.down;
        break;
      case "refresh":
        if (command.half) {
          this.service.pageSize = 2;
          this.service.failingPage = 2;
        }
        await this.refresh(site);
        this.service.pageSize = 1000;
        break;
      case "repack":
        this.#background(site.repack(command.mask));
        break;
      case "collect":
        this.#background(this.#collect(site));
        break;
      case "adopt":
        await this.adopt(site, command.k);
        break;
      case "crash":
        this.crash(site, command.wipe === "" ? undefined : command.wipe);
        break;
      case "time":
        await this.clock.advance(command.minutes * MINUTE);
        break;
    }
  }

  call(site: Site, verb: Verb, path: string, to: string): Answer {
    this.calls++;
    const call = ((): Call => {
      switch (verb) {
        case "write":
          return { verb, path, body: this.body(40) };
        case "large":
          return { verb: "write", path, body: this.body(SMALL_BYTES + 100) };
        case "delete-tree":
          return { verb: "delete", path, recursive: true };
        case "copy":
        case "move":
          return { verb, path, to };
        default:
          return { verb, path };
      }
    })();
    return site.start(call, this.watch);
  }

  crash(site: Site, wipe: "index" | "everything" | undefined): void {
    site.crash(wipe);
    this.#lines.set(site.client, site.line);
  }

  async #flush(site: Site): Promise<void> {
    await (await site.control()).flush();
  }
  async #collect(site: Site): Promise<void> {
    await (await site.control()).collect();
  }

  /** Maintenance that waits for a service; it may fail, and then nothing is lost. */
  #background(work: Promise<unknown>): void {
    work.then(
      () => this.service.events++,
      (error: unknown) => {
        this.service.events++;
        if (!StoreError.is(error)) this.watch.fault ??= error as Error;
      },
    );
  }

  /** Waits for a call only as long as it can go on without time. */
  async #settled<T>(work: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown } | undefined> {
    let answer: { readonly value: T } | { readonly error: unknown } | undefined;
    work.then(
      (value) => {
        this.service.events++;
        answer = { value };
      },
      (error: unknown) => {
        this.service.events++;
        answer = { error };
      },
    );
    await this.rest();
    return answer;
  }

  /** Never wrong bytes: a file read by one installation was written to that path, or moved there, by somebody. */
  async read(site: Site, path: string): Promise<void> {
    const answer = await this.#settled(site.store.read(path).then((reply) => reply.bytes()));
    if (answer === undefined) return;
    if ("error" in answer) {
      if (!StoreError.is(answer.error)) throw answer.error as Error;
      if (["corrupt", "integrity", "unknown"].includes(answer.error.code)) throw answer.error;
      return;
    }
    const text = Buffer.from(answer.value).toString();
    const first = /^body \d+ /.exec(text)?.[0] ?? "";
    if (first === "" || text !== first.repeat(Math.ceil(text.length / first.length)).slice(0, text.length))
      throw violation(`wrong bytes: ${path} is ${JSON.stringify(text.slice(0, 60))}`);
  }

  /** Lists the folder, and looks whether what must be seen is. */
  async refresh(site: Site): Promise<void> {
    const answer = await this.#settled(site.control().then((control) => control.refresh()));
    if (answer === undefined) return;
    const viewer = await this.viewer(site);
    if (viewer === undefined) return;
    if ("value" in answer) this.watch.checks.refreshed(viewer);
    else if (!StoreError.is(answer.error)) throw answer.error as Error;
    else this.watch.checks.own(viewer);
  }

  /** What it shows, with the stamps that its etags are made of. Undefined where it cannot say now. */
  async viewer(site: Site): Promise<Viewer | undefined> {
    const answer = await this.#settled(site.store.list("/", { recursive: true }).toArray());
    if (answer === undefined || "error" in answer) {
      if (answer !== undefined && !StoreError.is(answer.error)) throw answer.error as Error;
      return undefined;
    }
    const records = new Map<string, Rec>();
    for (const { path, kind, etag } of answer.value) {
      if (path.startsWith(FOLDER)) throw violation(`a caller sees ${path}`);
      const stamp = etag === null ? ([0, ""] as const) : ([Number.parseInt(etag.split(".")[0] as string, 36), etag.split(".")[1] as string] as const);
      records.set(path, { path, stamp, kind, content: "", at: "" });
    }
    return {
      line: site.line,
      name: `installation ${site.number}`,
      at: (path) => {
        const record = records.get(path);
        // A directory that is only implied, or hides a file: what is below is looked at by itself.
        if (record?.kind === "directory") return this.watch.ever.at(path) ?? record;
        return record;
      },
    };
  }

  async adopt(site: Site, k: number): Promise<void> {
    const writers = await this.#settled(site.control().then((control) => control.writers()));
    if (writers === undefined || !("value" in writers)) return;
    const gone = writers.value.map(({ writer }) => writer).filter((writer) => this.#isDead(writer));
    const writer = gone[k % (gone.length || 1)];
    if (writer !== undefined) this.#background(site.store.layers.archive.adopt(writer, { force: true }).then(() => site.store.layers.archive.flush()));
  }

  /** Nobody uses this identity any more. */
  #isDead(writer: string): boolean {
    const lines = new Set(this.watch.landed.filter((archive) => archive.writer === writer).map(({ name }) => this.watch.checks.lines.get(name)));
    return this.sites.every(({ line }) => !lines.has(line));
  }

  /** Everything is answered, everything old is claimed, packed and collected; then all see the same, and a new installation too. */
  async quietEnd(): Promise<void> {
    this.service.stale = [0];
    this.service.lost = [];
    for (const site of this.sites) {
      site.client.down = false;
      site.client.hold = false;
    }
    while (this.service.flight.length > 0) {
      this.service.answer(0, "ok");
      await this.rest();
      this.watch.check();
    }
    for (let round = 0; round < 4; round++) {
      for (const site of this.sites) {
        this.#background(this.#flush(site));
        await this.rest();
        await this.clock.advance(2 * MINUTE);
        await this.refresh(site);
        for (let k = 0; k < 4 && round < 2; k++) await this.adopt(site, k);
        await this.rest();
        this.watch.check();
      }
      await this.clock.advance(TIMING.tombMs + MINUTE);
      for (const work of ["repack", "collect", "collect"] as const) {
        for (const site of this.sites) {
          this.#background(work === "repack" ? site.repack(255) : this.#collect(site));
          await this.rest();
          this.watch.check();
        }
        await this.clock.advance(TIMING.graceMs + MINUTE);
        await this.rest();
        this.watch.check();
      }
    }
    await this.#compare();
  }

  async #compare(): Promise<void> {
    const folder = readFolder(this.service.objects().map(([path, bytes]) => [path.slice(FOLDER.length + 1), bytes] as const));
    const expected = [...shown(folder)].map(([path, kind]) => `${path} ${kind}`).sort();
    this.#nothingLeft(folder);
    this.sites.push(this.#site(this.sites.length));
    for (const site of this.sites) {
      await this.refresh(site);
      const seen = (await site.store.list("/", { recursive: true }).toArray()).map(({ path, kind }) => `${path} ${kind}`).sort();
      if (seen.join() !== expected.join()) throw violation(`views differ: installation ${site.number} shows ${seen.join()}; the folder has ${expected.join()}`);
      for (const [path, record] of folder.live) {
        if (shown(folder).get(path) !== "file") continue;
        const bytes = await (await site.store.read(path)).bytes();
        if (Buffer.compare(bytes, bytesOf(folder, record)) !== 0) throw violation(`wrong bytes: ${path} at installation ${site.number}`);
      }
      const { inDoubt, damaged } = site.store.layers.archive.report();
      if (inDoubt !== 0 || damaged !== 0) throw violation(`installation ${site.number}: ${String(inDoubt)} in doubt, ${String(damaged)} damaged`);
    }
    for (const site of this.sites) this.#refusedIsAbsent(site);
  }

  /** I8. Files that are hidden or implied directories only make it stricter. */
  #nothingLeft(folder: FolderView): void {
    const { tombstones, records, live } = folder;
    if (tombstones.length > 0) throw violation(`never collected: a tombstone of ${tombstones[0]?.path}`);
    const owners = new Set([...folder.archives.values()].map(({ head }) => head.writer)).size;
    if (records.length > live.size * (owners + 1)) throw violation(`garbage: ${records.length} records for ${live.size}`);
  }

  /** A call that was refused changed nothing (P1). */
  #refusedIsAbsent(site: Site): void {
    for (const { call, error } of site.answers) {
      if (error === undefined || error.applied !== false || call.body === undefined) continue;
      const text = Buffer.from(call.body);
      for (const [, bytes] of this.service.objects()) {
        if (Buffer.from(bytes).includes(text.subarray(0, 40))) throw violation(`refused with ${error.code} and stored: ${call.verb} ${call.path}`);
      }
    }
  }

  async end(): Promise<void> {
    for (const site of this.sites) await site.end();
    rmSync(this.#base, { recursive: true, force: true });
  }
}

function minutes(stale: Stale): number[] {
  return stale.map((each) => each * MINUTE);
}

/** @throws Error with what did not hold */
export async function runLayer(commands: readonly Command[], options: LayerOptions): Promise<LayerWorld> {
  const world = new LayerWorld(options);
  try {
    await world.run(commands);
    return world;
  } finally {
    await world.end();
  }
}

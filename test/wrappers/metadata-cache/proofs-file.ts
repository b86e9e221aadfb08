/** The file that keeps what is remembered over a restart. */
import assert from "node:assert/strict";
import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { borrow, exists, layer, manualClock, stack, uniform } from "../../../src/store/index.ts";
import type { Call, Clock, Layer, Store } from "../../../src/store/index.ts";
import type { MetadataCacheControl, MetadataCacheOptions } from "../../../src/wrappers/metadata-cache/index.ts";
import type { Proof } from "../../broken-layers/registry.ts";
import { code, names } from "./proofs-answers.ts";
import { Service } from "./service.ts";
import type { Maker } from "./world.ts";

/** Starts of the cache on one file, over one service. */
export class Starts implements AsyncDisposable {
  readonly clock: Clock & { advance(ms: number): Promise<void> } = manualClock(1_000_000);
  service = new Service({ clock: this.clock });
  readonly directory: string;
  readonly #make: Maker;

  private constructor(make: Maker, directory: string) {
    this.#make = make;
    this.directory = directory;
  }
  static async begin(make: Maker): Promise<Starts> {
    return new Starts(make, await fs.mkdtemp(join(tmpdir(), "stratus-meta-")));
  }
  get file(): string {
    return join(this.directory, "cache", "meta.db");
  }

  /** One start; it is not closed. */
  start(options: MetadataCacheOptions = {}): { readonly store: Store; readonly calls: Call[]; readonly control: MetadataCacheControl } {
    const calls: Call[] = [];
    const counted: Layer = layer("counted", (inner) => ({
      backend: uniform(inner, {
        around(call, next) {
          calls.push(call);
          return next(call);
        },
      }),
    }));
    const made: Layer = this.#make({ clock: this.clock, file: this.file, maxStaleMs: 100_000, ...options });
    const store: Store = stack<Store, readonly Layer[]>(borrow(this.service.store), counted, made);
    return { store, calls, control: store.layers["metadataCache"] as MetadataCacheControl };
  }

  /** What a killed process leaves: a copy of the files while it runs. */
  async crashed(): Promise<void> {
    const all = await Promise.all(["", "-wal"].map(async (end) => [end, await fs.readFile(`${this.file}${end}`).catch(() => undefined)] as const));
    await fs.mkdir(join(this.directory, "left"), { recursive: true });
    for (const [end, bytes] of all) if (bytes !== undefined) await fs.writeFile(`${join(this.directory, "left", "meta.db")}${end}`, bytes);
  }
  get left(): string {
    return join(this.directory, "left", "meta.db");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await fs.rm(this.directory, { recursive: true });
  }
}

export const startsWarm: Proof<Maker> = {
  name: "a restart starts warm: what is younger than maxStaleMs answers at once, absences too, and an old listing is compared by its etag",
  async run(make) {
    await using starts = await Starts.begin(make);
    for (const path of ["/d/a", "/d/s/b"]) await starts.service.store.write(path, path);
    const first = starts.start();
    await first.store.list("/", { recursive: true }).toArray();
    await first.store.list("/d").toArray();
    const entry = await first.store.stat("/d/a");
    assert.equal(first.control.report().file, "new");
    await first.store.close();
    await starts.clock.advance(50_000);

    const second = starts.start();
    assert.deepEqual(await second.store.stat("/d/a"), entry);
    assert.deepEqual(await names(second.store, "/", true), ["/d", "/d/a", "/d/s", "/d/s/b"]);
    assert.equal(await exists(second.store, "/d/none"), false);
    assert.equal(second.calls.length, 0);
    assert.equal(second.control.report().file, "warm");
    await second.store.write("/d/new", "n");
    await second.store.delete("/d/a");
    await second.store.close();

    const third = starts.start();
    assert.equal(await exists(third.store, "/d/a"), false);
    assert.equal((await third.store.stat("/d/new")).size, 1);
    assert.equal(third.calls.length, 0);
    await third.store.list("/d/s", { fresh: true }).toArray();
    await third.store.close();
    await starts.clock.advance(200_000);

    const fourth = starts.start();
    assert.deepEqual(await names(fourth.store, "/d/s"), ["/d/s/b"]);
    assert.deepEqual(
      fourth.calls.map((call) => call.operation === "list" && call.ifNoneMatch !== undefined),
      [true],
    );
    assert.equal((await fourth.store.stat("/d/s/b")).size, 6);
    assert.equal(fourth.calls.length, 1);
    await starts.service.store.write("/d/s/b", "changed");
    await fourth.store.close();
  },
};

export const staleByDefault: Proof<Maker> = {
  name: "without maxStaleMs nothing from the file answers unasked",
  async run(make) {
    await using starts = await Starts.begin(make);
    await starts.service.store.write("/d/a", "a");
    const first = starts.start({ maxStaleMs: 0 });
    await first.store.list("/d").toArray();
    await first.store.close();
    await starts.service.store.write("/d/a", "changed");
    await starts.service.store.write("/d/b", "b");
    const second = starts.start({ maxStaleMs: 0 });
    assert.equal((await second.store.stat("/d/a", { detail: "basic" })).size, 7);
    assert.deepEqual(await names(second.store, "/d"), ["/d/a", "/d/b"]);
    await second.store.close();
  },
};

export const notClosedIsNothing: Proof<Maker> = {
  name: "a file that was not closed is thrown away: changes may be missing in it",
  async run(make) {
    await using starts = await Starts.begin(make);
    await starts.service.store.write("/d/a", "a");
    const first = starts.start();
    await first.store.list("/d").toArray();
    await starts.clock.advance(6000);
    await starts.clock.advance(1);
    await first.store.delete("/d/a");
    await starts.crashed();
    const after = starts.start({ file: starts.left });
    await after.store.open();
    assert.equal(after.control.report().file, "discarded: not closed");
    assert.equal(await exists(after.store, "/d/a"), false);
    await after.store.close();
    await first.store.close();
  },
};

export const onlyItsOwnStore: Proof<Maker> = {
  name: "what was remembered of another store is thrown away",
  async run(make) {
    await using starts = await Starts.begin(make);
    await starts.service.store.write("/d/a", "a");
    const first = starts.start();
    await first.store.list("/d").toArray();
    await first.store.close();
    starts.service = new Service({ clock: starts.clock, identity: "another" });
    const second = starts.start();
    assert.equal(await exists(second.store, "/d/a"), false);
    assert.equal(second.control.report().file, "discarded: of another store");
    await second.store.close();
  },
};

export const damageIsSeen: Proof<Maker> = {
  name: "with any one byte of it wrong the file answers as it was, or is thrown away, or refused; never otherwise",
  timeoutMs: 600_000,
  async run(make) {
    await using starts = await Starts.begin(make);
    await starts.service.store.write("/d/aaaa", "a");
    await starts.service.store.mkdir("/d/sub");
    const first = starts.start();
    await first.store.list("/d").toArray();
    await exists(first.store, "/none");
    await first.store.close();
    const bytes = await fs.readFile(starts.file);
    const truth = await starts.service.store.list("/d").toArray();
    const seen: Record<string, number> = {};
    // The whole header, a sample of what else is not zero, and some of the empty bytes; with STRATUS_TIER=torture all that is not zero.
    const every = process.env["STRATUS_TIER"] === "torture" ? 1 : 11;
    for (let at = 0, told = 0; at < bytes.byteLength; at++) {
      if (bytes[at] === 0 ? at % 997 !== 0 : at >= 100 && told++ % every !== 0) continue;
      const broken = Buffer.from(bytes);
      broken[at] = (broken[at] as number) ^ (1 << (at % 8));
      await fs.writeFile(starts.file, broken);
      const { store, control } = starts.start();
      const opened = await code(store.open());
      if (opened === "nothing") {
        assert.deepEqual(await store.list("/d").toArray(), truth, `byte ${at}`);
        assert.equal(await exists(store, "/none"), false);
        assert.equal((await store.stat("/d/aaaa")).size, 1);
        seen[control.report().file] = (seen[control.report().file] ?? 0) + 1;
        await store.close();
      } else {
        assert.equal(opened, "config", `byte ${at}`);
        assert.deepEqual(await fs.readFile(starts.file), broken, "what is refused is not touched");
        seen["refused"] = (seen["refused"] ?? 0) + 1;
      }
    }
    assert.ok((seen["warm"] ?? 0) > 0 && (seen["discarded: damaged"] ?? 0) > 0 && (seen["refused"] ?? 0) > 0, JSON.stringify(seen));
  },
};

export const wrongFactsAreSeen: Proof<Maker> = {
  name: "a fact that is not as it was written throws the file away",
  async run(make) {
    await using starts = await Starts.begin(make);
    await starts.service.store.write("/d/a", "a");
    const first = starts.start();
    await first.store.list("/d").toArray();
    await first.store.close();
    const file = new Sqlite(starts.file);
    assert.equal(file.prepare("update directory set facts = replace(facts, ',1,', ',7,') where path = '/d'").run().changes, 1);
    file.close();
    const { store, control } = starts.start();
    assert.equal((await store.stat("/d/a")).size, 1);
    assert.equal(control.report().file, "discarded: damaged");
    await store.close();
  },
};

export const foreignFilesStay: Proof<Maker> = {
  name: "a file that is not a metadata cache is refused and left as it is; one of a newer version is thrown away",
  async run(make) {
    await using starts = await Starts.begin(make);
    await fs.mkdir(join(starts.directory, "cache"));
    await fs.writeFile(starts.file, "my diary");
    assert.equal(await code(starts.start().store.stat("/")), "config");
    assert.equal(await fs.readFile(starts.file, "utf8"), "my diary");
    await fs.rm(starts.file);
    const theirs = new Sqlite(starts.file);
    theirs.exec("create table t(x)");
    theirs.close();
    const before = await fs.readFile(starts.file);
    assert.equal(await code(starts.start().store.stat("/")), "config");
    assert.deepEqual(await fs.readFile(starts.file), before);
    await fs.rm(starts.file);
    await starts
      .start()
      .store.open()
      .then((store) => store.close());
    const newer = new Sqlite(starts.file);
    newer.pragma("user_version = 2");
    newer.close();
    const { store, control } = starts.start();
    await store.open();
    assert.equal(control.report().file, "discarded: version 2");
    await store.close();
  },
};

export const oneOwner: Proof<Maker> = {
  name: "a second owner is refused, and the next one takes over when the first has closed",
  async run(make) {
    await using starts = await Starts.begin(make);
    const first = starts.start();
    await first.store.open();
    assert.equal(await code(starts.start().store.open()), "conflict");
    await first.store.close();
    const second = starts.start();
    await second.store.open();
    await second.store.close();
  },
};

export const filesAreClosedToOthers: Proof<Maker> = {
  name: "CF109 the files of the cache are unreadable to others",
  async run(make) {
    await using starts = await Starts.begin(make);
    const { store } = starts.start();
    await store.write("/a", "a");
    await starts.clock.advance(6000);
    await starts.clock.advance(1);
    const files = await fs.readdir(join(starts.directory, "cache"));
    assert.ok(files.includes("meta.db") && files.includes("meta.db-wal"), files.join());
    for (const name of files) assert.equal((await fs.stat(join(starts.directory, "cache", name))).mode & 0o777, 0o600, name);
    assert.equal((await fs.stat(join(starts.directory, "cache"))).mode & 0o777, 0o700);
    await store.close();
  },
};

export const filed: readonly Proof<Maker>[] = [
  startsWarm,
  staleByDefault,
  notClosedIsNothing,
  onlyItsOwnStore,
  wrongFactsAreSeen,
  foreignFilesStay,
  oneOwner,
  filesAreClosedToOthers,
];

/** Proofs of the caching store that say step by step what happens: for what random programs meet too rarely, or cannot see. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { StoreError, layer } from "../../../src/store/index.ts";
import type { Entry, Layer, StatCall } from "../../../src/store/index.ts";
import { uniform } from "../../../src/store/uniform.ts";
import { quiet } from "../../wrappers/caching/model/clock.ts";
import { failNextFlush } from "../../wrappers/caching/model/power.ts";
import { proof } from "./caching-world.ts";

const large = (letter: string): string => letter.repeat(300_000);

/* ---- the journal */

export const poisoned = proof(
  "a journal that could not be flushed acknowledges nothing any more",
  async (world) => {
    await world.write("/a", "1");
    using _broken = failNextFlush("journal.db-wal");
    const first = await world.refused(world.store.write("/b", "2"), "unavailable");
    assert.deepEqual([first.applied, first.transient], ["unknown", false]);
    const later = await world.refused(world.store.write("/c", "3"), "unavailable");
    assert.deepEqual([later.applied, later.transient], [false, false]);
    assert.equal(world.cache.report()["journal"], "failed");
    assert.equal(await world.text("/a"), "1");
    await world.restart(true);
    assert.equal(await world.text("/a"), "1");
    await world.write("/c", "3");
  },
  { power: true },
);

export const openReader = proof("a reader sees one version to its end, whatever is written meanwhile", async (world) => {
  // More than is read at once.
  const old = large("o").repeat(5);
  await world.write("/a", old);
  const reader = (await world.done(world.store.read("/a"))).stream().getReader();
  const pieces: Buffer[] = [];
  const take = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    if (value !== undefined) pieces.push(Buffer.from(value));
    return !done;
  };
  await take();
  await world.flush();
  await world.write("/a", large("n"));
  await world.flush();
  await world.done(world.cache.evict("/"));
  await world.write("/b", large("x").repeat(5));
  while (await take());
  assert.ok(Buffer.concat(pieces).equals(Buffer.from(old)), "the reader got something else than the version it began with");
});

export const contentNames = proof("the name of a content file is never used again, though the last one of it is gone", async (world) => {
  const old = large("o").repeat(5);
  await world.write("/a", old);
  const body = (await world.done(world.store.read("/a"))).stream().getReader();
  await body.read();
  await world.write("/a", "small");
  const written = await world.life.settled(world.store.write("/b", large("x").repeat(5)));
  assert.ok(written !== "cut" && "value" in written, "the new file met the old one");
  let more = 0;
  for (let piece = await body.read(); !piece.done; piece = await body.read()) {
    assert.ok(
      Buffer.from(piece.value).every((byte) => byte === 111),
      "bytes of another file",
    );
    more += piece.value.length;
  }
  assert.ok(more > 0);
  await world.restart();
  assert.equal(await world.text("/b"), large("x").repeat(5));
});

/* ---- reading */

export const fillAndWrite = proof("a download does not replace what was written while it ran", async (world) => {
  await world.other.write("/a", "old ".repeat(60));
  const result = await world.done(world.store.read("/a"));
  const reader = result.stream().getReader();
  await reader.read();
  await world.write("/a", "new");
  while (!(await reader.read()).done);
  await quiet();
  assert.equal(await world.text("/a"), "new");
  await world.flush();
  assert.deepEqual(await world.there(), { "/a": "new" });
  assert.equal(await world.text("/a"), "new");
});

export const partsAreNoFiles = proof("a part of a file, or a download that broke off, is not kept as the file (M71)", async (world) => {
  const text = Array.from({ length: 60 }, (_, i) => `${i}`.padStart(4, ".")).join("");
  await world.other.write("/a", text);
  const part = await world.done(world.store.read("/a", { range: { offset: 8, length: 12 } }).then((result) => result.text()));
  assert.equal(part, text.slice(8, 20));
  await quiet();
  assert.equal(await world.text("/a"), text);
  await world.other.write("/b", text);
  world.remote.breakingBodies = 1;
  await world.refused(
    world.store.read("/b").then((result) => result.text()),
    "unavailable",
  );
  await quiet();
  assert.equal(await world.text("/b"), text);
  // One who leaves early.
  await world.other.write("/c", text);
  const reader = (await world.done(world.store.read("/c"))).stream().getReader();
  await reader.read();
  await reader.cancel();
  await quiet();
  assert.equal(await world.text("/c"), text);
});

export const tornFill = proof(
  "after a power failure no torn download is served",
  async (world) => {
    const text = "remote ".repeat(40);
    await world.other.write("/a", text);
    assert.equal(await world.text("/a"), text);
    await quiet();
    // Flushes the journal, and with it the row of the download, whose bytes nobody flushed.
    await world.write("/b", "1");
    await world.restart(true);
    assert.equal(await world.text("/a"), text);
    assert.equal(await world.text("/b"), "1");
  },
  { power: true },
);

export const pagesOfAListing = proof(
  "each name comes once although rows are uploaded and leave between two pages",
  async (world) => {
    for (const name of ["b", "d", "f"]) await world.other.write(`/${name}`, name);
    for (const name of ["a", "c", "e"]) await world.write(`/${name}`, name);
    const pages = world.store.list("/").pages()[Symbol.asyncIterator]();
    const names: string[] = [];
    for (let turn = 0; ; turn++) {
      const page = await world.done(pages.next());
      if (page.done === true) break;
      names.push(...page.value.map(({ path }) => path));
      if (turn === 0) {
        await world.flush();
        await world.done(world.cache.evict("/"));
      }
    }
    assert.deepEqual(names.sort(), ["/a", "/b", "/c", "/d", "/e", "/f"]);
  },
  { shape: { pageSize: 1 } },
);

/* ---- when things are sent */

export const rewriting = proof("writes that never stop postpone the upload, but not for ever (CF34)", async (world) => {
  for (let i = 0; i < 8; i++) {
    await world.write("/a", `${i}`);
    await world.wait(500);
  }
  assert.deepEqual(world.waiting, [], "each write starts the quiet time anew");
  for (let i = 8; i < 20; i++) {
    await world.write("/a", `${i}`);
    await world.wait(500);
  }
  assert.equal(world.waiting.length, 1, "after maxDelayMs it is sent although it was just written");
});

export const conditionsReachTheRemote = proof("a condition holds against other clients (writes with ifAbsent and ifMatch)", async (world) => {
  assert.deepEqual(await world.view(), {});
  await world.other.write("/a", "theirs");
  await world.refused(world.store.write("/a", "ours", { ifAbsent: true }), "already-exists");
  assert.deepEqual(await world.there(), { "/a": "theirs" });
  // Known here, and changed there since.
  assert.equal(await world.text("/a"), "theirs");
  const { etag } = await world.done(world.store.stat("/a"));
  await world.other.write("/a", "theirs again");
  await world.refused(world.store.write("/a", "ours", { ifMatch: etag as string }), "precondition-failed");
  assert.deepEqual(await world.there(), { "/a": "theirs again" });
  const now = await world.done(world.store.stat("/a", { fresh: true }));
  await world.done(world.store.write("/a", "ours", { ifMatch: now.etag as string }));
  assert.deepEqual(await world.there(), { "/a": "ours" });
  // And what is only remembered here refuses nobody.
  await world.other.delete("/a");
  await world.done(world.store.write("/a", "ours again", { ifAbsent: true }));
  assert.deepEqual(await world.there(), { "/a": "ours again" });
});

export const hardLimit = proof(
  "the hard limit slows writers for what cannot leave, and not for clean content (CF45)",
  async (world) => {
    await world.write("/a", "x".repeat(800));
    await world.flush();
    const before = world.life.clock.elapsedMs;
    await world.write("/b", "y".repeat(800));
    assert.equal(world.life.clock.elapsedMs - before, 0, "a writer waited for clean content");
    await world.write("/c", "z".repeat(800));
    assert.ok(world.life.clock.elapsedMs > before, "beyond the limit a writer waits");
    assert.equal(await world.text("/c"), "z".repeat(800));
  },
  { setup: { cacheBytes: 1000 }, options: { hardLimitBytes: 1500, hardLimitBytesPerSecond: 100 } },
);

export const fullRemote = proof("a full remote stops new files for a while, and not the deletes that make room (CF49)", async (world) => {
  await world.write("/old", "x");
  await world.flush();
  await world.write("/a", "1");
  await world.wait(1000);
  await world.end("full");
  await world.write("/b", "2");
  await world.done(world.store.delete("/old"));
  await world.wait(5000);
  assert.deepEqual(
    world.waiting.filter((text) => text.startsWith("write")),
    [],
    "a file was sent to a full remote",
  );
  assert.equal(world.waiting.length, 1, "the delete was not sent");
  await world.end("ok");
  assert.deepEqual(await world.there(), {});
  await world.wait(300_000);
  await world.flush();
  assert.deepEqual(await world.there(), { "/a": "1", "/b": "2" });
});

export const parked = proof("a file that the remote refuses for good stays, with its error, until somebody decides (M77)", async (world) => {
  await world.write("/a", "1");
  await world.write("/b", "2");
  await world.wait(1000);
  await world.end("denied");
  const flushed = await world.refused(world.cache.flush(), "permission-denied");
  assert.equal(flushed.applied, "partly");
  assert.deepEqual(await world.there(), { "/b": "2" });
  assert.equal(await world.text("/a"), "1");
  const { state, error } = world.cache.state("/a");
  assert.deepEqual([state, error?.code], ["parked", "permission-denied"]);
  world.cache.retry("/a");
  await world.flush();
  assert.deepEqual(await world.there(), { "/a": "1", "/b": "2" });
});

export const failingWaits = proof("a call that waits for what cannot be sent is told so after a while, and what is pending stays pending", async (world) => {
  await world.write("/a", "1");
  await world.flush();
  await world.write("/a", "2");
  const { etag } = await world.done(world.store.stat("/a"));
  const outcome: unknown[] = [];
  world.store.write("/a", "3", { ifMatch: etag as string }).then(
    () => outcome.push("written"),
    (error: unknown) => outcome.push(error),
  );
  await quiet();
  // The first failure may pass by itself.
  await world.end("failed");
  assert.equal(outcome.length, 0);
  for (let round = 0; round < 100 && outcome.length === 0; round++) {
    if (world.waiting.length > 0) await world.end("failed");
    await world.wait(1000);
    await quiet();
  }
  const [ended] = outcome;
  assert.ok(StoreError.is(ended), "it waits for ever");
  assert.deepEqual([ended.code, ended.applied, ended.transient], ["unavailable", false, true]);
  assert.equal(await world.text("/a"), "2");
  await world.flush();
  assert.deepEqual(await world.there(), { "/a": "2" });
});

export const flushAndRequests = proof("flush waits for the requests that are under way (M74)", async (world) => {
  await world.write("/a", "1");
  await world.wait(1000);
  assert.equal(world.waiting.length, 1);
  let flushed = false;
  const flushing = world.cache.flush().then(() => (flushed = true));
  await quiet();
  // What is written now is newer than the flush; what is under way is not.
  await world.done(world.store.write("/a", "2"));
  await quiet();
  assert.equal(flushed, false, "flush resolved while a request was under way");
  await world.end("ok");
  await world.done(flushing);
  assert.deepEqual(await world.there(), { "/a": "1" });
});

export const lostAndDeleted = proof("flush waits for a request whose answer was lost, though its row is gone", async (world) => {
  await world.write("/a", "1");
  await world.wait(1000);
  await world.end("lost");
  await world.done(world.store.delete("/a"));
  await world.flush();
  await world.late();
  await world.wait(11_000);
  assert.deepEqual(await world.there(), {});
});

/* ---- doubt */

/** Answers a `stat` that does not insist on the truth with what it said the first time. */
const remembering: () => Layer = () =>
  layer("remembering", (inner) => {
    const known = new Map<string, Promise<Entry>>();
    return {
      backend: uniform(inner, {
        around: (call, next) => next(call),
        stat: (call: StatCall, next) => {
          const old = call.fresh ? undefined : known.get(call.path);
          const answer = old ?? next(call);
          known.set(call.path, answer);
          return answer;
        },
      }),
    };
  });

export const looksPastCaches = proof(
  "a look that decides about bytes is not answered by a cache below",
  async (world) => {
    // The cache below remembers that nothing is there.
    await world.refused(world.store.stat("/a"), "not-found");
    await world.write("/a", "1");
    await world.wait(1000);
    await world.end("lost");
    await world.late();
    await world.flush();
    assert.deepEqual(await world.there(), { "/a": "1" });
    assert.deepEqual(world.cache.conflicts(), []);
    assert.equal(world.remote.log.filter((line) => line.includes("write /a")).length, 2, "it had landed, and was sent again");
  },
  { below: remembering },
);

export const abortedUpload = proof("an upload that a delete stopped may still land, and is deleted then (M73)", async (world) => {
  await world.write("/a", "x".repeat(200));
  await world.wait(1000);
  assert.equal(world.waiting.length, 1);
  await world.done(world.store.delete("/a"));
  await quiet();
  assert.deepEqual(world.waiting, [], "the upload goes on although its file was deleted");
  await world.late();
  await world.flush();
  await world.wait(11_000);
  assert.deepEqual(await world.there(), {});
  await world.refused(world.store.read("/a"), "not-found");
});

export const landedAndRemoved = proof("what lands after its directory was deleted goes with it, and is no conflict", async (world) => {
  await world.write("/d/f", "one");
  await world.flush();
  await world.write("/d/f", "two");
  await world.wait(1000);
  assert.equal(world.waiting.length, 1);
  await world.done(world.store.delete("/d/f"));
  await world.done(world.store.delete("/d"));
  await world.late();
  await world.flush();
  await world.wait(11_000);
  assert.deepEqual(await world.there(), {});
  assert.deepEqual(world.cache.conflicts(), []);
});

let journalFails = false;
export const unwritten = proof(
  "a failed upload whose failure cannot be written down is looked up and sent again",
  async (world) => {
    await world.write("/f", "mine");
    await world.wait(1000);
    journalFails = true;
    await world.end("failed");
    assert.equal(journalFails, false, "the failure was written down");
    await world.flush();
    assert.deepEqual(await world.there(), { "/f": "mine" });
  },
  {
    options: {
      // Asked for in the middle of the transaction that records the failure.
      random: () => {
        if (!journalFails) return 0.5;
        journalFails = false;
        throw new StoreError("unavailable", "the disk does not take it");
      },
    },
  },
);

export const blindAndDoubtful = proof(
  "a write to a path that nobody had looked at, in doubt, is not sent again over another client's version",
  async (world) => {
    await world.write("/a", "ours");
    await world.wait(1000);
    await world.end("lost-applied");
    await world.other.write("/a", "theirs, later");
    await world.flush();
    const there = await world.there();
    assert.ok(Object.values(there).includes("theirs, later"), `theirs is gone: ${JSON.stringify(there)}`);
  },
  { setup: { unknownPaths: "trust" } },
);

/* ---- other clients and trees */

export const plainRemove = proof("a directory that was deleted because it was empty is not deleted with what another client put into it", async (world) => {
  await world.other.mkdir("/d");
  assert.deepEqual(await world.view(), { "/d/": "" });
  await world.done(world.store.delete("/d"));
  await world.other.write("/d/theirs", "kept");
  await world.flush();
  assert.deepEqual(await world.there(), { "/d/": "", "/d/theirs": "kept" });
});

export const stepsKeepTargets = proof(
  "a tree that is moved file by file overwrites nothing that another client put at its target",
  async (world) => {
    for (const name of ["a", "b"]) await world.other.write(`/from/${name}`, `ours ${name}`);
    await world.done(world.store.move("/from", "/to"));
    await quiet();
    // Before any file was moved.
    await world.other.write("/to/b", "theirs");
    await world.flush();
    const there = await world.there();
    for (const text of ["ours a", "ours b", "theirs"]) assert.ok(Object.values(there).includes(text), `"${text}" is gone: ${JSON.stringify(there)}`);
    assert.equal(there["/to/b"], "ours b");
  },
  { shape: { trees: false } },
);

export const conflictsHaveOneName = proof("the same version of another client is kept once, although the process is killed while it is kept", async (world) => {
  await world.other.write("/a", "known");
  assert.equal(await world.text("/a"), "known");
  await world.write("/a", "ours");
  await world.other.write("/a", "theirs");
  for (let kills = 0; kills < 3; kills++) {
    await world.wait(1000);
    // The write fails its condition; the copy is made, and its answer never comes.
    while (world.waiting.length > 0 && !world.waiting.some((text) => text.startsWith("copy"))) await world.end("ok");
    if (world.waiting.length === 0) break;
    await world.end("applied");
    await world.restart();
    await world.wait(11_000);
  }
  await world.flush();
  const there = await world.there();
  assert.equal(there["/a"], "ours");
  assert.equal(Object.values(there).filter((text) => text === "theirs").length, 1, JSON.stringify(there));
});

export const copyOfPending = proof("a copy of what is pending is a write of its own, and asks nothing of the remote", async (world) => {
  await world.write("/a", "old");
  await world.flush();
  await world.write("/a", "new");
  await world.done(world.store.copy("/a", "/b"));
  await world.flush();
  assert.deepEqual(await world.there(), { "/a": "new", "/b": "new" });
  assert.deepEqual(
    world.remote.log.filter((line) => line.includes("copy")),
    [],
  );
});

export const unseenIsNotDeleted = proof("a delete of a path that nobody had seen deletes what was there then, and nothing newer", async (world) => {
  await world.other.write("/a", "there");
  await world.done(world.cache.pause());
  await world.done(world.store.delete("/a"));
  await world.other.write("/a", "newer");
  await world.done(world.cache.resume());
  await world.flush();
  assert.deepEqual(await world.there(), { "/a": "newer" });
});

export const deletesGiveWay = proof("a delete gives way to a version that our user never saw", async (world) => {
  await world.other.write("/a", "seen");
  assert.equal(await world.text("/a"), "seen");
  await world.done(world.cache.pause());
  await world.done(world.store.delete("/a"));
  await world.other.write("/a", "unseen");
  await world.done(world.cache.resume());
  await world.flush();
  assert.deepEqual(await world.there(), { "/a": "unseen" });
  assert.equal(await world.text("/a"), "unseen");
  assert.equal(world.cache.conflicts().length, 1);
});

export const equalSize = proof("bytes of another client that happen to be as many as ours are not taken for ours", async (world) => {
  await world.write("/a", "our bytes");
  await world.wait(1000);
  await world.end("lost");
  await world.other.write("/a", "not ours!");
  await world.flush();
  const there = await world.there();
  assert.equal(there["/a"], "our bytes");
  assert.ok(Object.values(there).includes("not ours!"), JSON.stringify(there));
});

export const sameBytes = proof("the same bytes with another content type are not taken for arrived when the answer to them is lost", async (world) => {
  await world.done(world.store.write("/a", "same", { contentType: "text/x-1" }));
  await world.flush();
  await world.done(world.store.write("/a", "same", { contentType: "text/x-2" }));
  await world.wait(1000);
  await world.end("lost");
  await world.flush();
  assert.equal((await world.other.stat("/a")).contentType, "text/x-2");
  assert.deepEqual(await world.there(), { "/a": "same" });
});

export const vanishedSource = proof("a file whose move found no source replaces what the move was to replace", async (world) => {
  await world.other.write("/b", "to be replaced");
  assert.equal(await world.text("/b"), "to be replaced");
  await world.write("/n", "moved");
  await world.flush();
  await world.done(world.cache.pause());
  await world.done(world.store.move("/n", "/b"));
  await world.other.delete("/n");
  await world.done(world.cache.resume());
  await world.flush();
  assert.deepEqual(await world.there(), { "/b": "moved" });
});

export const namesTheOwner = proof("a second opening in one process is told that it is this process", async (world) => {
  const second = await world.openAgain();
  assert.ok("error" in second && StoreError.is(second.error));
  assert.deepEqual([second.error.code, second.error.transient], ["conflict", false]);
  assert.match(second.error.message, /this process/);
});

export const strayRead = proof("a stray read of the journal lets no second process in (CF41)", async (world) => {
  await world.write("/a", "1");
  // Closing any descriptor of a file drops the locks that this process has on it.
  readFileSync(join(world.directory, "journal.db"));
  const child = spawnSync(process.execPath, [new URL("caching-intruder.ts", import.meta.url).pathname, world.directory], { encoding: "utf8" });
  assert.equal(child.stdout.trim(), "conflict", child.stderr.slice(0, 500));
});

/**
 * One proof for each rule of src/wrappers/archive/rules.ts: a program that holds with the right layer and fails with the rule changed. Under plain Node, so
 * that test/broken-layers counts them; `archive.md n` is the row of the table of one-bug variants.
 */
import assert from "node:assert/strict";
import { StoreError } from "../../../../src/store/index.ts";
import { proof, reads, site, steps } from "./proof.ts";
import type { LayerProof } from "./proof.ts";
import type { LayerWorld } from "./world.ts";
import { GRACE, TOMB, collect, crash, flush, fly, halfRefresh, late, link, loseIndex, net, now, refresh, repack, time, wait, wipe } from "./steps.ts";
import { MINUTE } from "./subject.ts";

export const writesAboveWhatWasSeen = proof(
  "who overwrites what it has seen wins, however late its clock (archive.md 1)",
  { installations: 3 },
  async (world) => {
    await steps(world, now(2, "write", "/p"), refresh(1), now(1, "write", "/p"));
    assert.equal(await reads(world, 1, "/p"), "body 2");
  },
);

export const deletesWhatWasSeen = proof("a delete spares a version that it had not seen (archive.md 2)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), refresh(1), now(1, "write", "/p"), time(1), now(0, "delete", "/p"), time(5), refresh(1));
  assert.equal(await reads(world, 1, "/p"), "body 2");
});

export const deletesCoverDoubt = proof("what was in doubt when it was deleted does not land afterwards (archive.md 3)", {}, async (world) => {
  await steps(world, fly(0, "write", "/p"), net(0, "lost"), link(0, false), time(4), link(0, true), now(0, "delete", "/p"));
  assert.deepEqual(
    site(world, 0).answers.map(({ call, error }) => [call.verb, error?.applied]),
    [
      ["write", "unknown"],
      ["delete", undefined],
    ],
  );
  await steps(world, late, time(5), refresh(0));
  assert.equal(await reads(world, 0, "/p"), "nothing");
});

export const packsOwnArchives = proof(
  "nobody packs what others wrote: what they deleted would return (archive.md 4)",
  { refreshMs: 200 * MINUTE },
  async (world) => {
    await steps(world, now(0, "mkdir", "/d"), refresh(1), now(0, "delete", "/d"), collect(0), time(GRACE), refresh(0), collect(0));
    await steps(world, time(TOMB), collect(0), time(GRACE), collect(0), repack(1));
  },
);

export const refersToOwnBytes = proof("references point to own bytes only (archive.md 5)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), refresh(1), now(1, "copy", "/p", "/q"));
  assert.equal(await reads(world, 1, "/q"), "body 1");
});

export const missingOnce = proof("an archive that one late listing lacks is not forgotten (archive.md 6)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), time(1), refresh(0, [2]));
  assert.equal(await reads(world, 0, "/p"), "body 1");
});

export const tombstonesAreNeeded = proof("an archive is needed for its tombstones (archive.md 7)", {}, async (world) => {
  await steps(world, now(1, "write", "/p"), refresh(0), now(0, "delete", "/p"), collect(0), time(GRACE), refresh(0), collect(0));
});

export const newestHome = proof(
  "after quiet there are no tombstones: the newest copy of a record is its home (archive.md 8)",
  { quiet: true },
  async (world) => {
    await steps(world, now(0, "write", "/p"), now(0, "move", "/p", "/q"));
  },
);

export const deadStayBehind = proof("after quiet nothing deleted is packed again (archive.md 9)", { quiet: true }, async (world) => {
  await steps(world, now(0, "write", "/p"), now(0, "write", "/q"), now(0, "delete", "/p"), repack(0));
});

export const grace = proof("who reads by a late listing finds the copy before the source goes (archive.md 10)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), time(13), refresh(0), repack(0), collect(0), refresh(1, [0, 2]));
});

export const sealClearsUnneeded = proof("a reference makes an archive needed in the step that seals it (archive.md 11, program A)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), fly(0, "copy", "/p", "/r"), refresh(1), now(1, "write", "/p"), refresh(0), collect(0), net(0));
  await steps(world, time(GRACE), refresh(0), fly(0, "copy", "/r", "/q"), refresh(1), now(1, "delete", "/r"), collect(0), net(0));
  await steps(world, refresh(0), refresh(1));
  assert.equal(await reads(world, 0, "/q"), "body 1");
});

export const tombstonesGrowOld = proof(
  "a tombstone stays for its age, though nothing below it is known (archive.md 13)",
  { skewMs: [0, 60 * MINUTE] },
  async (world) => {
    await steps(world, fly(1, "write", "/p"), net(0, "lost"), link(1, false), time(4), link(1, true), now(1, "delete", "/p"), time(3), refresh(1));
    await steps(world, collect(1), time(GRACE), refresh(1), collect(1), now(0, "write", "/p"));
  },
);

export const claimsWait = proof(
  "of two who take over a third one owns its archives, and the other refers to nothing in them (archive.md 14, program C)",
  { installations: 3 },
  async (world) => {
    await steps(world, now(2, "write", "/p"), wipe(2), refresh(0), refresh(1));
    // The claim of 0 has the lesser stamp, and is not there yet when 1 makes its own.
    for (const i of [0, 1]) {
      site(world, i).client.hold = true;
      await world.adopt(site(world, i), 0);
      await world.rest();
      site(world, i).client.hold = false;
      if (i === 0) await steps(world, now(1, "mkdir", "/later"));
    }
    await steps(
      world,
      net(0),
      net(0),
      now(1, "copy", "/p", "/q"),
      repack(0),
      collect(0),
      time(GRACE),
      refresh(0),
      repack(0),
      collect(0),
      time(GRACE),
      refresh(0),
      collect(0),
    );
    await steps(world, refresh(1));
    assert.equal(await reads(world, 1, "/q"), "body 1");
  },
);

export const takenKeepTheirStamps = proof("bytes that are taken over do not revive what their writer deletes meanwhile (archive.md 15)", {}, async (world) => {
  await steps(world, now(1, "write", "/p"), refresh(0), fly(0, "copy", "/p", "/q"), now(1, "delete", "/p"), net(0), time(5), refresh(1));
  assert.equal(await reads(world, 1, "/p"), "nothing");
});

export const lostIndexIsAnotherWriter = proof("who has lost the index writes under another name (archive.md 16)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), loseIndex(0), now(0, "write", "/q", "/q", [2]));
});

export const countsArePersisted = proof("no count is used twice (archive.md 16)", {}, async (world) => {
  await steps(world, fly(0, "write", "/p"), crash(0), now(0, "write", "/q"));
});

export const solosAreStampedLast = proof(
  "of two writes that a caller saw in order the later completion wins, also of a large file (archive.md 17)",
  { installations: 3 },
  async (world) => {
    let go: () => void = () => {};
    const gate = new Promise<void>((open) => (go = open));
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield world.body(3000);
      await gate;
      yield world.body(3000);
    };
    const first = site(world, 0).store.write("/p", body(), { size: 6000 });
    await world.rest();
    await steps(world, time(1), now(2, "write", "/p"), refresh(0));
    go();
    await world.rest();
    await first;
    const { size } = await site(world, 0).store.stat("/p");
    assert.equal(size, 6000);
  },
);

export const intentsComeFirst = proof("an upload that a crash cut off is in doubt afterwards (archive.md 18)", { installations: 3 }, async (world) => {
  await steps(world, fly(0, "write", "/p"), crash(0), now(0, "delete", "/p"), late, time(5), refresh(0));
  assert.equal(await reads(world, 0, "/p"), "nothing");
});

export const oneCommit = proof("a crash never finds an upload neither learned nor in doubt (archive.md 19)", {}, async (world) => {
  await steps(world, now(1, "write", "/q"), refresh(0));
  site(world, 0).crashAt("committed");
  await steps(world, now(0, "write", "/p"), now(0, "delete", "/p", "/p", [2]), time(5), refresh(0));
  assert.equal(await reads(world, 0, "/p"), "nothing");
});

export const badBodiesAreAlone = proof("a body that fails is its own caller's trouble (archive.md 20)", {}, async (world) => {
  const bad = async function* (): AsyncGenerator<Uint8Array> {
    yield world.body(10);
    throw new Error("the disk of the caller");
  };
  const { store } = site(world, 0);
  const answers = Promise.allSettled([store.write("/p", world.body(40)), store.write("/bad", bad(), { size: 40 }), store.write("/q", world.body(40))]);
  await world.rest();
  await steps(world, flush(0));
  const [one, wrong, other] = await answers;
  assert.deepEqual([one?.status, wrong?.status, other?.status], ["fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual([await reads(world, 0, "/p"), await reads(world, 0, "/bad"), await reads(world, 0, "/q")], ["body 1", "nothing", "body 2"]);
});

export const abortedIsUnknown = proof("who gives up after the seal is told that it may have happened (archive.md 21)", {}, async (world) => {
  const abort = new AbortController();
  const call = site(world, 0).store.write("/p", world.body(40), { signal: abort.signal });
  const told = call.then(
    () => "stored",
    (error: unknown) => (StoreError.is(error) ? `${error.code} ${error.applied}` : String(error)),
  );
  await world.rest();
  site(world, 0).client.hold = true;
  void site(world, 0).store.layers.archive.flush();
  await world.rest();
  abort.abort();
  assert.equal(await told, "aborted unknown");
  site(world, 0).client.hold = false;
  await steps(world, net(0));
  assert.equal(await reads(world, 0, "/p"), "body 1");
});

export const freshKnowsWhatWasLeft = proof("after an unknown outcome a fresh question is answered when it is known, and others at once", {}, async (world) => {
  const abort = new AbortController();
  const { store, client } = site(world, 0);
  const told = store.write("/d/p", world.body(40), { signal: abort.signal }).then(
    () => "stored",
    (error: unknown) => (StoreError.is(error) ? `${error.code} ${error.applied}` : String(error)),
  );
  await world.rest();
  client.hold = true;
  void store.layers.archive.flush();
  await world.rest();
  abort.abort();
  assert.equal(await told, "aborted unknown");
  client.hold = false;
  let seen = "nothing yet";
  const fresh = store.list("/", { recursive: true, fresh: true }).toArray();
  const listed = fresh.then((entries) => (seen = entries.map(({ path }) => path).join(" ")));
  await world.rest();
  assert.equal(seen, "nothing yet");
  assert.equal(await reads(world, 0, "/d/p"), "nothing");
  await steps(world, net(0));
  await listed;
  assert.equal(seen, "/d /d/p");
});

export const movesAreWhole = proof("whatever a crash cuts off, a moved file is at one of its two places (archive.md 22)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), fly(0, "move", "/p", "/q"), net(0), crash(0), refresh(0));
  assert.deepEqual([await reads(world, 0, "/p"), await reads(world, 0, "/q")].sort(), ["body 1", "nothing"]);
});

export const halfListings = proof("half a listing says nothing about what is missing (archive.md 23)", { refreshMs: 1000 * MINUTE }, async (world) => {
  for (const path of ["/a", "/b", "/c", "/d"]) await steps(world, now(0, "write", path));
  await steps(world, time(5), halfRefresh(0), time(5), halfRefresh(0));
  for (const [i, path] of ["/a", "/b", "/c", "/d"].entries()) assert.equal(await reads(world, 0, path), `body ${i + 1}`);
});

export const listingsJudgeWhatTheyCouldSee = proof(
  "a listing says nothing about what was stored after it began (archive.md 24)",
  { settleMs: 0 },
  async (world) => {
    await steps(world, now(0, "write", "/a"));
    let go: () => void = () => {};
    world.service.gate = new Promise<void>((open) => (go = open));
    const refreshed = site(world, 0).store.layers.archive.refresh();
    await world.rest();
    await steps(world, now(0, "write", "/p"));
    go();
    world.service.gate = undefined;
    await refreshed;
    assert.equal(await reads(world, 0, "/p"), "body 2");
  },
);

export const lastWriteWins = proof("of two versions the later is shown, also of a path that was deleted between (archive.md 27, M82)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), now(0, "write", "/p"), refresh(1));
  assert.deepEqual([await reads(world, 0, "/p"), await reads(world, 1, "/p")], ["body 2", "body 2"]);
  await steps(world, now(0, "delete", "/p"), now(0, "write", "/p"), time(5), refresh(1));
  assert.deepEqual([await reads(world, 0, "/p"), await reads(world, 1, "/p")], ["body 3", "body 3"]);
});

export const failedRefreshIsAnError = proof("an old view is not passed off as a current one (archive.md 28)", {}, async (world) => {
  await steps(world, now(0, "write", "/p"), now(1, "write", "/q"), time(5), link(1, false));
  await assert.rejects(site(world, 1).store.stat("/p"), { code: "unavailable" });
});

export const readsLookAgain = proof(
  "who reads by an old view finds the copy of what was packed again (archive.md 29)",
  { refreshMs: 1000 * MINUTE },
  async (world) => {
    await steps(world, now(0, "write", "/p"), refresh(1), repack(0), collect(0), time(GRACE), refresh(0), collect(0));
    assert.equal(await reads(world, 1, "/p"), "body 1");
  },
);

export const packedInOneGroup = proof("a group of calls is one archive, and each gets its own answer (CF64)", {}, async (world) => {
  for (let i = 0; i < 40; i++) await world.step(wait(0, "write", `/many/${i}`));
  await steps(world, wait(0, "mkdir", "/many"), flush(0));
  assert.equal(world.service.objects().length, 1);
  const codes = site(world, 0).answers.map(({ error }) => error?.code ?? "stored");
  assert.deepEqual([codes.length, codes.filter((code) => code === "stored").length, codes.at(-1)], [41, 40, codes.at(-1)]);
  assert.equal(codes.filter((code) => code === "already-exists").length, 1);
});

export const claimsByListing = proof(
  "a claim is in force by what was listed, not by the clock: another one may have come before it (finding F4)",
  { installations: 3, refreshMs: 1000 * MINUTE },
  async (world) => {
    await steps(world, now(1, "write", "/p"), wipe(1), refresh(0), refresh(2));
    await world.adopt(site(world, 2), 0);
    await steps(world, time(1));
    site(world, 0).client.hold = true;
    world.service.stale = [2 * MINUTE];
    void world.adopt(site(world, 0), 0);
    await world.rest();
    site(world, 0).client.hold = false;
    await steps(world, time(2), refresh(2, [2]), net(0));
    // Just in time for a reference by the view of then: younger than half a grace period, and a grace period after its own claim.
    await steps(world, time(12), refresh(2, [2]), time(13), now(2, "copy", "/p", "/q"));
    await steps(world, time(GRACE), refresh(0), repack(0), collect(0), time(GRACE), refresh(0), collect(0), refresh(2));
    assert.equal(await reads(world, 2, "/q"), "body 1");
  },
);

export const treesCoverDoubt = proof("a tree that is deleted stays deleted, though a file of it was on its way in a crash (finding F3)", {}, async (world) => {
  await steps(world, now(0, "write", "/d/q"), fly(0, "write", "/d/p"), crash(0), now(0, "delete-tree", "/d"), late, time(7), refresh(0));
  assert.equal(await reads(world, 0, "/d/p"), "nothing");
});

export const movesCoverDoubt = proof(
  "a tree that is moved away leaves nothing at its old place, though a file of it was on its way",
  { installations: 1 },
  async (world) => {
    await steps(world, now(0, "write", "/d/q"), fly(0, "write", "/d/p"), time(5), now(0, "move", "/d", "/p"), late, net(0), time(7), refresh(0));
    assert.equal(await reads(world, 0, "/d/p"), "nothing");
    assert.equal(await reads(world, 0, "/p/q"), "body 1");
  },
);

/** The identity that an installation writes under. */
function writerOf(world: LayerWorld, i: number): string {
  return (site(world, i).parts as NonNullable<LayerWorld["sites"][number]["parts"]>).core.identity.writer;
}
/** Takes over an installation that runs, against all advice; stored, unless it is held. */
async function adoptLiving(world: LayerWorld, i: number, of: number): Promise<void> {
  const control = await site(world, i).control();
  void control.adopt(writerOf(world, of), { force: true }).catch(() => {});
  await world.rest();
  await world.step(flush(i));
}

export const sealsByYoungViews = proof("who slept while it was taken over looks before it writes (finding F9)", { refreshMs: 1000 * MINUTE }, async (world) => {
  await steps(world, now(1, "write", "/p"), refresh(0));
  await adoptLiving(world, 0, 1);
  await steps(world, time(GRACE), refresh(0), repack(0), collect(0), time(GRACE), refresh(0), collect(0), now(1, "copy", "/p", "/q"), refresh(0));
  assert.equal(await reads(world, 0, "/q"), "body 1");
});

export const missingIsLeftAlone = proof(
  "what the last listing lacks is not packed again (finding F10)",
  { installations: 3, refreshMs: 1000 * MINUTE },
  async (world) => {
    await steps(world, now(0, "mkdir", "/q"), refresh(1), refresh(2), now(2, "mkdir", "/two"));
    for (const i of [1, 2]) {
      const control = await site(world, i).control();
      if (i === 2) await world.step(now(2, "mkdir", "/three")); // The other one's claim has the lesser stamp.
      site(world, i).client.hold = true;
      void control.adopt(writerOf(world, 0), { force: true }).catch(() => {});
      await world.rest();
      void control.flush();
      await world.rest();
      site(world, i).client.hold = false;
    }
    await steps(world, net(0), net(0), now(1, "delete", "/q"), time(1), refresh(0), time(GRACE), refresh(1));
    for (let round = 0; round < 4; round++) await steps(world, collect(1), time(GRACE), refresh(1), collect(1), time(TOMB), refresh(1));
    await steps(world, refresh(2), repack(2));
  },
);

export const storedFirst = proof("nobody is told of what is not stored (M79)", {}, async (world) => {
  await steps(world, fly(0, "write", "/p"));
  assert.equal(site(world, 0).answers.length, 0);
  await steps(world, net(0));
  assert.equal(site(world, 0).answers.length, 1);
});

export const longNames = proof("long and strange names stand in the tar as they are (archive.md 26, M81)", {}, async (world) => {
  const names = [
    "n".repeat(101),
    "n".repeat(255),
    `${"d".repeat(155)}/${"f".repeat(100)}`,
    `${"d".repeat(156)}/f`,
    `${"x/".repeat(150)}deep`,
    "a\u0308",
    "tab\t",
    "ü".repeat(60),
  ];
  for (const name of names) await world.step(wait(0, "write", `/${name}`));
  // Whatever is sent is read by the reader of the tests, which compares headers with the manifest.
  await steps(world, flush(0));
  assert.equal(await reads(world, 0, `/${names[0]}`), "body 1");
});

export const layerProofs: readonly LayerProof[] = [
  writesAboveWhatWasSeen,
  deletesWhatWasSeen,
  deletesCoverDoubt,
  packsOwnArchives,
  refersToOwnBytes,
  missingOnce,
  tombstonesAreNeeded,
  newestHome,
  deadStayBehind,
  grace,
  sealClearsUnneeded,
  tombstonesGrowOld,
  claimsWait,
  takenKeepTheirStamps,
  lostIndexIsAnotherWriter,
  countsArePersisted,
  solosAreStampedLast,
  intentsComeFirst,
  oneCommit,
  badBodiesAreAlone,
  abortedIsUnknown,
  freshKnowsWhatWasLeft,
  movesAreWhole,
  halfListings,
  listingsJudgeWhatTheyCouldSee,
  lastWriteWins,
  failedRefreshIsAnError,
  readsLookAgain,
  packedInOneGroup,
  claimsByListing,
  treesCoverDoubt,
  movesCoverDoubt,
  sealsByYoungViews,
  missingIsLeftAlone,
  storedFirst,
  longNames,
];

/** Modified times: set, kept, cut to the declared precision, near now, far away, never in a local zone (behaviours 105 to 107). */
import { equal, ok, pattern, pieces, rejects } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import type { SupportKey } from "../check.ts";
import { statOf } from "./entries.ts";
import { gone, put, rw } from "./look.ts";

const settable: readonly SupportKey[] = [...rw, "writeModified"];
const day = 86_400_000;

/** Cut, not rounded, to the precision that is declared. */
function cut(t: CheckContext, ms: number): number {
  const step = t.capabilities.modifiedPrecisionMs ?? 1;
  return Math.floor(ms / step) * step;
}

/** Writes with this time and expects to find it, cut. */
async function keeps(t: CheckContext, path: string, modifiedMs: number, what: string): Promise<void> {
  ok(t.capabilities.modifiedPrecisionMs !== null, "a store whose times can be set has times", t.capabilities.modifiedPrecisionMs);
  const entry = await put(t, path, pattern(20, path), { modifiedMs });
  if (entry.modifiedMs !== null) equal(entry.modifiedMs, cut(t, modifiedMs), `${what}: the answer of write`);
  await t.settled("read", async () => equal((await t.store.stat(path)).modifiedMs, cut(t, modifiedMs), `${what}: stat`));
}

/** Clocks of two machines differ; zones and wrong units differ by more. */
const toleranceMs = 15_000;

async function nearNow(t: CheckContext, path: string, from: number, what: string): Promise<void> {
  const precision = t.capabilities.modifiedPrecisionMs;
  const { modifiedMs } = await t.settled("read", () => t.store.stat(path, { fresh: true }));
  if (precision === null) {
    equal(modifiedMs, null, `${what}: no times are declared, so none is told`);
    return;
  }
  const now = t.place.clock.now();
  ok(modifiedMs !== null, `${what}: a store with times tells that of a file`, modifiedMs);
  ok(
    modifiedMs >= from - toleranceMs - precision && modifiedMs <= now + toleranceMs + precision,
    `${what}: within 15 s of now (${from} to ${now})`,
    modifiedMs,
  );
  equal(modifiedMs % precision, 0, `${what}: a multiple of the declared precision of ${precision} ms`);
}

export const times: readonly Check[] = [
  {
    id: "metadata.modified.near-now",
    title: "a file that was just written has a modified time within 15 seconds of now, or none where none is declared",
    why: "Times read in the local zone are hours off, seconds read as milliseconds are in 1970; both make every file older or newer than everything.",
    tier: "smoke",
    behaviours: [106, 105],
    guarantees: ["entry.modified"],
    rows: ["CF17", "CF5"],
    kills: ["M66"],
    needs: rw,
    async run(t) {
      const from = t.place.clock.now();
      await put(t, "/w/now", "now");
      await nearNow(t, "/w/now", from, "a new file");
    },
  },
  {
    id: "metadata.modified.set",
    title: "a modified time that is given is kept, cut to the declared precision",
    why: "Backups compare times: one that is rounded up lies in the future of the file it belongs to, and the file is copied on every run.",
    tier: "smoke",
    behaviours: [105],
    guarantees: ["entry.modified"],
    rows: ["CF17"],
    kills: ["M66b", "N26", "N50"],
    needs: settable,
    async run(t) {
      await keeps(t, "/w/even", 1_700_000_000_000, "a whole second");
      await keeps(t, "/w/below", 1_700_000_000_999, "just below the next second");
      await keeps(t, "/w/odd", 1_234_567_891_237, "an odd millisecond");
    },
  },
  {
    id: "metadata.modified.steps",
    title: "two times that are one step of precision apart stay apart",
    why: 'A precision that is declared finer than it is kept makes "newer than" decide wrongly for everything written in between.',
    tier: "full",
    behaviours: [105],
    guarantees: ["entry.modified"],
    kills: ["N50"],
    needs: settable,
    async run(t) {
      const step = t.capabilities.modifiedPrecisionMs ?? 1;
      const base = cut(t, 1_600_000_000_000);
      for (const steps of [0, 1, 2, 999]) await keeps(t, `/w/s${steps}`, base + steps * step, `${steps} steps`);
    },
  },
  {
    id: "metadata.modified.seasons",
    title: "times of summer and winter, of leap days and of midnight are kept",
    why: "Conversions through a local zone are right for half the year, and wrong in the hour that comes twice.",
    tier: "full",
    behaviours: [105, 107],
    guarantees: ["entry.modified"],
    kills: ["N87"],
    needs: settable,
    async run(t) {
      const moments = {
        january: Date.UTC(2021, 0, 1),
        july: Date.UTC(2021, 6, 1),
        leap: Date.UTC(2024, 1, 29, 23, 59, 59),
        spring: Date.UTC(2023, 2, 26, 1, 30),
        autumn: Date.UTC(2023, 9, 29, 0, 30),
        again: Date.UTC(2023, 9, 29, 1, 30),
      };
      for (const [name, ms] of Object.entries(moments)) await keeps(t, `/w/${name}`, ms, name);
    },
  },
  {
    id: "metadata.modified.far",
    title: "times after 2038, in 2100 and in the first second of 1970 are kept",
    why: "32 bits of seconds end in January 2038, and times of photographs that were digitised or of test clocks lie there already.",
    tier: "full",
    behaviours: [107],
    guarantees: ["entry.modified"],
    kills: ["N88"],
    needs: settable,
    async run(t) {
      await keeps(t, "/w/after-2038", Date.UTC(2038, 0, 19, 3, 14, 8), "one second after 32 bits");
      await keeps(t, "/w/in-2100", Date.UTC(2100, 1, 28), "the year 2100");
      await keeps(t, "/w/early", 86_400_000, "the second day of 1970");
    },
  },
  {
    id: "metadata.modified.future",
    title: "a time that lies a day ahead is kept",
    why: "Some adapters replace times in the future by now; a restored file then never equals its backup.",
    tier: "full",
    behaviours: [105],
    guarantees: ["entry.modified"],
    kills: ["N89"],
    needs: settable,
    run: (t) => keeps(t, "/w/tomorrow", cut(t, t.place.clock.now() + day), "tomorrow"),
  },
  {
    id: "metadata.modified.wrong",
    title: "a modified time that is no time is a TypeError, and nothing is stored",
    why: 'NaN in a header becomes "Invalid Date", which services take for no time at all, or answer with a 500.',
    tier: "full",
    behaviours: [107, 156],
    guarantees: ["capability.refused"],
    kills: ["N90"],
    needs: settable,
    async run(t) {
      for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, "2020-01-01", new Date(0), null]) {
        let error: unknown;
        try {
          await t.store.write("/w/wrong", "x", { modifiedMs: wrong as number });
        } catch (thrown) {
          error = thrown;
        }
        ok(error instanceof TypeError, `modifiedMs ${String(wrong)} is a TypeError`, error ?? "success");
        await gone(t, "/w/wrong", `nothing is stored with modifiedMs ${String(wrong)}`);
      }
    },
  },
  {
    id: "metadata.modified.overwrite",
    title: "an overwrite without a time gives the file the time of the overwrite, not the old one",
    why: "A modified time that is inherited says that the file did not change: incremental backups leave the new bytes out.",
    tier: "smoke",
    behaviours: [105, 110],
    guarantees: ["entry.modified", "write.replaces"],
    kills: ["N91"],
    needs: rw,
    async run(t) {
      const { writeModified, modifiedPrecisionMs } = t.capabilities;
      const old = t.place.clock.now() - 400 * day;
      await put(t, "/w/f", "old", writeModified === false ? {} : { modifiedMs: old });
      const from = t.place.clock.now();
      await put(t, "/w/f", "newer");
      if (modifiedPrecisionMs !== null && modifiedPrecisionMs > day) return t.note("times are too coarse to tell an overwrite");
      await nearNow(t, "/w/f", from, "an overwritten file");
    },
  },
  {
    id: "metadata.modified.identical-bytes",
    title: "writing the same bytes with another time stores the time",
    why: 'Services that recognise equal content answer "unchanged" and drop the new time, although they said it was stored.',
    tier: "full",
    behaviours: [105, 63],
    guarantees: ["entry.modified", "write.replaces"],
    kills: ["N92"],
    needs: settable,
    async run(t) {
      await keeps(t, "/w/f", 1_500_000_000_000, "the first time");
      await keeps(t, "/w/f", 1_600_000_000_000, "the same bytes with a later time");
      await keeps(t, "/w/f", 1_400_000_000_000, "the same bytes with an earlier time");
    },
  },
  {
    id: "metadata.modified.reading",
    title: "reading, listing and stat do not change the modified time",
    why: "Access that counts as change makes caches drop everything that is used.",
    tier: "full",
    behaviours: [105],
    guarantees: ["entry.modified", "entry.law"],
    kills: ["N93"],
    needs: rw,
    async run(t) {
      await put(t, "/w/f", "content");
      const before = await statOf(t, "/w/f", 7);
      await t.place.clock.sleep(25, t.signal);
      {
        await using result = await t.store.read("/w/f");
        await result.bytes();
      }
      if (t.capabilities.list !== false) await t.store.list("/w").toArray();
      equal(await t.store.stat("/w/f"), before, "stat says what it said before");
    },
  },
  {
    id: "metadata.modified.same-answer",
    title: "write, stat, read and list tell one and the same time, or none",
    why: "S3 lists milliseconds and answers HEAD in seconds: a cache filled from one and compared with the other never agrees with itself.",
    tier: "smoke",
    behaviours: [96, 105],
    guarantees: ["entry.law", "entry.modified"],
    rows: ["CF16"],
    kills: ["M40"],
    needs: [...rw, "list"],
    async run(t) {
      const written = await put(t, "/w/f", "content");
      const { modifiedMs } = await statOf(t, "/w/f", 7);
      if (written.modifiedMs !== null) equal(written.modifiedMs, modifiedMs, "the answer of write");
      await using result = await t.store.read("/w/f");
      if (result.entry.modifiedMs !== null) equal(result.entry.modifiedMs, modifiedMs, "the entry of read");
      await t.settled("list", async () =>
        equal(
          (await t.store.list("/w").toArray()).map((entry) => entry.modifiedMs),
          [modifiedMs],
          "the entry of list",
        ),
      );
    },
  },
  {
    id: "metadata.modified.directory",
    title: "the time of a directory is plausible or null",
    why: 'Services without times for folders answer with 1970, with the time of the request, or with that of a child; only null says "not known".',
    tier: "full",
    behaviours: [105, 131],
    guarantees: ["entry.modified", "stat.directory"],
    kills: ["N94"],
    needs: ["mkdir"],
    async run(t) {
      const from = t.place.clock.now();
      await t.store.mkdir("/w/dir", { existOk: true });
      const { modifiedMs } = await t.settled("read", () => t.store.stat("/w/dir"));
      if (modifiedMs === null) return;
      const precision = t.capabilities.modifiedPrecisionMs;
      ok(precision !== null, "a store without times has none for directories either", modifiedMs);
      const now = t.place.clock.now();
      ok(modifiedMs >= from - toleranceMs - precision && modifiedMs <= now + toleranceMs + precision, `within 15 s of now (${now})`, modifiedMs);
    },
  },
  {
    id: "metadata.modified.missing-file",
    title: "a write that fails does not touch the time of the old version",
    why: "Upload, then set the time: when the upload fails, the second half is done all the same.",
    tier: "full",
    behaviours: [105, 66],
    guarantees: ["write.failed"],
    kills: ["N95"],
    needs: settable,
    async run(t) {
      await keeps(t, "/w/f", 1_500_000_000_000, "the old version");
      await rejects(
        "bad-body",
        () => t.store.write("/w/f", pieces(pattern(5, "short"), 2), { size: 10, modifiedMs: 1_600_000_000_000 }),
        "a body that is too short",
      );
      await t.settled("read", async () => equal((await t.store.stat("/w/f")).modifiedMs, cut(t, 1_500_000_000_000), "the old time is still there"));
    },
  },
];

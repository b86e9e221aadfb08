/** Bodies that fail, or are not as long as was said (behaviours 39, 40, 66). */
import type { Body } from "../../store/index.ts";
import { broken, chunked, equal, pattern, pieces, rejects } from "../assert.ts";
import type { Check } from "../check.ts";
import { room, unknownRoom } from "./base.ts";
import { rwl } from "./look.ts";
import { changesNothing, letGo } from "./sources-help.ts";

export const checks: readonly Check[] = [
  {
    id: "sources.fails",
    title: "a body that fails half way ends the call with its own error as the cause, and nothing is stored",
    why: "Many clients commit what they have when the source fails: a truncated file with a perfectly good status. For an overwrite the old version is gone too.",
    tier: "smoke",
    behaviours: [66],
    guarantees: ["body.fails", "write.failed"],
    rows: ["CF8"],
    kills: ["M16", "M21"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      const large = unknownRoom(t, 400_000);
      for (const [after, size, known] of [
        [600, 1000, true],
        [0, 1000, true],
        [999, 1000, true],
        [large / 2, large, true],
        [600, 1000, false],
        [large / 2, large, false],
      ] as const) {
        if (!known && t.capabilities.writeUnknownSize === false) continue;
        const failure = new Error("the disk of the check is gone");
        await changesNothing(t, async (path) => {
          const body = broken(pattern(size, path), Math.floor(after), failure, 10_000);
          const error = await rejects("bad-body", () => t.store.write(path, body, known ? { size } : {}), `a body that fails after ${after} of ${size} bytes`);
          equal(error.cause, failure, "the cause is the error of the body");
          equal(error.applied, false, "the error says that nothing was applied");
          letGo(body, "the body was let go");
        });
      }
    },
  },
  {
    id: "sources.short",
    title: "a body that ends before its declared size is bad-body, and nothing is stored",
    why: "An upload that waits for the rest hangs; one that pads with zeros, or stores what came, makes a wrong file.",
    tier: "smoke",
    behaviours: [39],
    guarantees: ["write.size", "write.failed"],
    kills: ["M17"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      for (const [given, size] of [
        [600, 1000],
        [0, 1],
        [999, 1000],
        [65_536, 65_537],
        [room(t, 500_000) - 200_000, room(t, 500_000)],
      ] as const) {
        await changesNothing(t, async (path) => {
          const body = pieces(pattern(given, path), 10_000);
          const error = await rejects("bad-body", () => t.store.write(path, body, { size }), `${given} bytes where ${size} were declared`);
          equal(error.applied, false, "the error says that nothing was applied");
        });
      }
    },
  },
  {
    id: "sources.long",
    title: "a body that runs past its declared size is bad-body, and nothing is stored",
    why: "Cut at the declared length it looks right: the file has the size that was announced, and not what the caller sent. No suite that we read tests it.",
    tier: "smoke",
    behaviours: [40],
    guarantees: ["write.size", "write.failed"],
    kills: ["M17b"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      for (const [given, size] of [
        [1001, 1000],
        [1, 0],
        [2000, 1000],
        [65_537, 65_536],
        [500_000, room(t, 300_000)],
      ] as const) {
        await changesNothing(t, async (path) => {
          const body = pieces(pattern(given, path), 10_000);
          await rejects("bad-body", () => t.store.write(path, body, { size }), `${given} bytes where ${size} were declared`);
          letGo(body, "a body that is too long is not read for ever");
        });
      }
      // The byte too many comes in a chunk of its own, after everything that was announced.
      await changesNothing(t, async (path) => {
        await rejects(
          "bad-body",
          () => t.store.write(path, chunked([pattern(1000, path), pattern(1, "more")]), { size: 1000 }),
          "one more chunk after the declared size",
        );
      });
    },
  },
  {
    id: "sources.long.bytes",
    title: "a body whose size is known and contradicts the declared one is refused",
    why: "Two lengths in one call: whichever an adapter believes, half of the callers meant the other.",
    tier: "full",
    behaviours: [39, 40],
    guarantees: ["write.size"],
    kills: ["A22"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      const bodies: readonly (() => Body)[] = [() => pattern(1000, "bytes"), () => "x".repeat(1000), () => new Blob([pattern(1000, "blob")])];
      for (const size of [999, 1001, 0]) {
        for (const body of bodies) {
          await changesNothing(
            t,
            async (path) => void (await rejects("bad-body", () => t.store.write(path, body(), { size }), `1,000 bytes declared as ${size}`)),
          );
        }
      }
    },
  },
];

/**
 * Programs that random search finds late or never: each holds with the rules as they are and fails with its bug. Those that it found are here
 * too, shrunk, so that every rule is proved in a millisecond.
 */
import type { ModelBug } from "./bugs.ts";
import type { Command, Stale } from "./commands.ts";
import type { Op } from "./seal.ts";

export interface Frozen {
  readonly bug: ModelBug;
  /** Rules of which each alone is enough. */
  readonly besides?: readonly ModelBug[];
  readonly says: RegExp;
  readonly installations: number;
  readonly program: readonly Command[];
}

const all: Stale = [0];
/** Stored at once. */
const now = (i: number, op: Op["op"], path: string, to = path): Command => ({ do: "now", i, op, path, to, refresh: false, fly: false, stale: all });
/** Sealed and sent, no answer yet. */
const fly = (i: number, op: Op["op"], path: string, to = path): Command => ({ do: "now", i, op, path, to, refresh: false, fly: true, stale: all });
const net = (k: number, how: Extract<Command, { do: "net" }>["how"] = "ok"): Command => ({ do: "net", k, how });
const late: Command = { do: "late", k: 0 };
const time = (steps: number): Command => ({ do: "time", steps });
const refresh = (i: number, stale: Stale = all): Command => ({ do: "refresh", i, stale, half: false });
const halfRefresh = (i: number): Command => ({ do: "refresh", i, stale: all, half: true });
const listing = (i: number, end: boolean): Command => ({ do: "listing", i, stale: all, end });
const repack = (i: number, mask = 255): Command => ({ do: "repack", i, mask, fly: false, stale: all });
const collect = (i: number): Command => ({ do: "collect", i, stale: all });
const clean = (i: number, before: number, between: number): Command => ({ do: "clean", i, before, between, fly: false, stale: all });
const take = (i: number, path: string): Command => ({ do: "take", i, path, stale: all });
const claim = (i: number, stale: Stale = all): Command => ({ do: "claim", i, k: 0, stale });
const claimLiving = (i: number, of: number): Command => ({ do: "claim-living", i, of, stale: all });
const crash = (i: number): Command => ({ do: "crash", i });
const wipe = (i: number): Command => ({ do: "wipe", i, stale: all });
const solo = (i: number, path: string, end: boolean): Command => ({ do: "solo", i, path, end, stale: all });

export const frozen: readonly Frozen[] = [
  {
    bug: "clock-ignores-seen", // The clock of 1 is behind that of 2.
    says: /^stamp order/,
    installations: 3,
    program: [now(2, "write", "/p"), refresh(1), now(1, "write", "/p")],
  },
  {
    bug: "tombstone-own-stamp",
    says: /^killed unseen/,
    installations: 2,
    program: [now(0, "write", "/p"), time(3), now(1, "write", "/p"), now(0, "delete", "/p")],
  },
  {
    bug: "delete-ignores-doubt",
    says: /^returned/,
    installations: 2,
    program: [fly(0, "write", "/p"), net(0, "lost"), now(0, "delete", "/p"), late],
  },
  {
    bug: "repack-foreign",
    besides: ["missing-is-used"],
    says: /^returned/,
    installations: 2,
    program: [now(0, "write", "/p"), refresh(1), now(0, "delete", "/p"), clean(0, 0, 12), clean(0, 26, 26), repack(1, 1)],
  },
  {
    bug: "refer-foreign",
    says: /^bytes lost/,
    installations: 2,
    program: [now(0, "write", "/p"), refresh(1), now(1, "copy", "/p", "/q"), now(0, "delete", "/p"), clean(0, 0, 12)],
  },
  {
    bug: "missing-once-forgotten",
    says: /^own write not seen/,
    installations: 2,
    program: [now(0, "write", "/p"), time(1), refresh(0, [2])],
  },
  {
    bug: "collect-ignores-tombstones",
    says: /^returned/,
    installations: 2,
    program: [now(1, "write", "/p"), refresh(0), now(0, "delete", "/p"), clean(0, 0, 12)],
  },
  { bug: "oldest-home", says: /^never collected/, installations: 2, program: [now(0, "write", "/p"), now(0, "move", "/p", "/q")] },
  { bug: "repack-dead", says: /^never collected/, installations: 2, program: [now(0, "write", "/p"), now(0, "delete", "/p")] },
  {
    bug: "no-grace",
    says: /^hole/,
    installations: 2,
    program: [now(0, "write", "/p"), time(13), repack(0), collect(0), net(0), refresh(1, [0, 2])],
  },
  {
    bug: "seal-keeps-unneeded", // Program A.
    says: /^bytes lost/,
    installations: 2,
    program: [
      now(0, "write", "/p"),
      fly(0, "copy", "/p", "/r"),
      now(0, "write", "/p"),
      collect(0),
      net(0),
      time(12),
      fly(0, "copy", "/r", "/q"),
      now(0, "delete", "/r"),
      collect(0),
      net(1),
      net(0),
    ],
  },
  {
    bug: "uploads-not-waited", // Program B.
    besides: ["missing-is-used"],
    says: /^returned/,
    installations: 2,
    program: [
      fly(0, "write", "/r"),
      net(0, "applied"),
      refresh(0),
      now(0, "delete", "/r"),
      collect(0),
      time(12),
      collect(0),
      net(1),
      time(26),
      collect(0),
      time(12),
      collect(0),
      net(1),
      net(0),
      repack(0),
    ],
  },
  {
    bug: "tombstone-no-age", // A writer whose clock is behind writes below a tombstone.
    says: /^returned/,
    installations: 3,
    program: [fly(2, "write", "/p"), net(0, "lost"), now(2, "delete", "/p"), clean(2, 0, 12), now(1, "write", "/p")],
  },
  {
    bug: "claim-at-once", // Program C.
    says: /^bytes lost/,
    installations: 3,
    program: [now(2, "write", "/p"), wipe(2), claim(0), claim(1), net(0), net(0), now(1, "copy", "/p", "/q"), repack(0), clean(0, 0, 13)],
  },
  {
    bug: "take-new-stamp",
    says: /^killed unseen|^returned/,
    installations: 2,
    program: [now(1, "write", "/p"), take(0, "/p"), now(1, "delete", "/p"), net(0)],
  },
  { bug: "id-reused", says: /^(?:name|stamp) used twice/, installations: 2, program: [now(0, "write", "/p"), wipe(0), now(0, "write", "/p")] },
  { bug: "count-reused", says: /^name used twice/, installations: 2, program: [now(0, "write", "/p"), crash(0), now(0, "write", "/p")] },
  {
    bug: "solo-stamped-at-start",
    says: /^stamp order/,
    installations: 2,
    program: [solo(0, "/p", false), now(0, "write", "/p"), solo(0, "/p", true)],
  },
  { bug: "intent-after-upload", says: /^returned/, installations: 2, program: [fly(0, "write", "/p"), crash(0), now(0, "delete", "/p"), late] },
  {
    bug: "learn-apart",
    says: /^returned/,
    installations: 2,
    program: [fly(0, "write", "/p"), net(0, "ok-crash"), { do: "now", i: 0, op: "delete", path: "/p", to: "/p", refresh: false, fly: false, stale: [2] }],
  },
  { bug: "move-in-two", says: /^move apart/, installations: 2, program: [now(0, "write", "/p"), now(0, "move", "/p", "/q")] },
  {
    bug: "half-listing",
    says: /^own write not seen/,
    installations: 2,
    program: [now(0, "write", "/p"), halfRefresh(0), time(3), halfRefresh(0)],
  },
  {
    bug: "listing-judges-new",
    says: /^own write not seen/,
    installations: 2,
    program: [refresh(0), listing(0, false), time(2), now(0, "write", "/p"), listing(0, true), time(1), refresh(0, [2])],
  },
  {
    bug: "claim-by-clock", // Two adopters; the earlier claim lands late, just after the other one's last look.
    says: /^bytes lost/,
    installations: 3,
    program: [
      now(1, "write", "/p"),
      wipe(1),
      claim(2),
      time(1),
      net(0),
      time(1),
      claim(0, [2]),
      time(5),
      net(0),
      time(1),
      refresh(2, [2]),
      time(5),
      now(2, "copy", "/p", "/q"),
      time(12),
      refresh(0),
      repack(0),
      clean(0, 0, 12),
    ],
  },
  {
    bug: "intent-forgets-paths", // A tree is deleted while a file of it is in doubt, after a crash.
    says: /^returned/,
    installations: 2,
    program: [now(0, "write", "/d/q"), fly(0, "write", "/d/p"), crash(0), now(0, "delete-tree", "/d"), late],
  },
  {
    bug: "adopted-keeps-id",
    says: /^never collected/,
    installations: 2,
    program: [claimLiving(0, 1), now(0, "write", "/p"), net(0), now(0, "delete", "/p"), wipe(0), repack(0, 1)],
  },
  {
    bug: "seal-old-view", // An installation that slept while another took over what it wrote.
    says: /^bytes lost/,
    installations: 2,
    program: [now(1, "write", "/p"), claimLiving(0, 1), net(0), time(13), repack(0), clean(0, 0, 12), now(1, "copy", "/p", "/q")],
  },
  {
    bug: "write-old-view", // A claimed writer that slept until the claim was gone; then both take it for theirs.
    says: /^bytes lost/,
    installations: 3,
    program: [
      refresh(0),
      claimLiving(1, 0),
      net(0),
      clean(1, 13, 13),
      clean(1, 26, 0),
      now(0, "write", "/q"),
      { do: "now", i: 1, op: "write", path: "/p", to: "/p", refresh: true, fly: false, stale: all },
      now(1, "copy", "/q", "/p"),
      repack(0, 1),
    ],
  },
  {
    bug: "missing-is-used", // Who slept while another, who had claimed the same writer before, took over all and was done with it.
    says: /^returned/,
    installations: 3,
    program: [
      now(0, "write", "/q"),
      claimLiving(1, 0),
      claim(2),
      net(0),
      now(1, "delete", "/q"),
      net(0),
      clean(0, 0, 26),
      clean(1, 0, 12),
      clean(1, 0, 12),
      repack(2, 1),
    ],
  },
];

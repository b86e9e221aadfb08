/** Commands for programs that are written by hand. */
import type { Command, Stale, Verb } from "./commands.ts";
import type { Outcome } from "./service.ts";

const all: Stale = [0];
/** Sent, and answered at once. */
export const now = (i: number, verb: Verb, path: string, to = path, stale: Stale = all): Command => ({
  do: "call",
  i,
  verb,
  path,
  to,
  wait: false,
  fly: false,
  stale,
});
/** Its upload waits in flight. */
export const fly = (i: number, verb: Verb, path: string, to = path): Command => ({ do: "call", i, verb, path, to, wait: false, fly: true, stale: all });
/** Into the open group. */
export const wait = (i: number, verb: Verb, path: string, to = path): Command => ({ do: "call", i, verb, path, to, wait: true, fly: false, stale: all });
export const flush = (i: number): Command => ({ do: "flush", i, fly: false, stale: all });
export const net = (k: number, how: Outcome = "ok"): Command => ({ do: "net", k, how });
export const late: Command = { do: "late", k: 0 };
export const link = (i: number, up: boolean): Command => ({ do: "link", i, down: !up });
export const refresh = (i: number, stale: Stale = all): Command => ({ do: "refresh", i, stale, half: false });
export const halfRefresh = (i: number): Command => ({ do: "refresh", i, stale: all, half: true });
export const repack = (i: number, mask = 255): Command => ({ do: "repack", i, mask, fly: false, stale: all });
export const collect = (i: number): Command => ({ do: "collect", i, fly: false, stale: all });
export const time = (minutes: number): Command => ({ do: "time", minutes, stale: all });
export const crash = (i: number): Command => ({ do: "crash", i, wipe: "" });
export const wipe = (i: number): Command => ({ do: "crash", i, wipe: "everything" });
export const loseIndex = (i: number): Command => ({ do: "crash", i, wipe: "index" });
export const adopt = (i: number): Command => ({ do: "adopt", i, k: 0, stale: all });
/** Past a grace period, and past the age of tombstones. */
export const GRACE = 28;
export const TOMB = 56;

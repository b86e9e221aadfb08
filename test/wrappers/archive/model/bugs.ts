/** One-bug variants of the protocol (archive.md 11): each is one rule left out. The number is the row of that table. */
export const modelBugs = {
  "clock-ignores-seen": 1,
  "tombstone-own-stamp": 2,
  "delete-ignores-doubt": 3,
  "repack-foreign": 4,
  "refer-foreign": 5,
  "missing-once-forgotten": 6,
  "collect-ignores-tombstones": 7,
  "oldest-home": 8,
  "repack-dead": 9,
  "no-grace": 10,
  "seal-keeps-unneeded": 11,
  "uploads-not-waited": 12,
  "tombstone-no-age": 13,
  "claim-at-once": 14,
  "take-new-stamp": 15,
  "id-reused": 16,
  "count-reused": 16,
  "solo-stamped-at-start": 17,
  "intent-after-upload": 18,
  "learn-apart": 19,
  "move-in-two": 22,
  "half-listing": 23,
  "listing-judges-new": 24,
  /** Beyond the table. */
  "claim-by-clock": 0,
  "intent-forgets-paths": 0,
  "adopted-keeps-id": 0,
  "seal-old-view": 0,
  "write-old-view": 0,
  "missing-is-used": 0,
} as const;

export type ModelBug = keyof typeof modelBugs;
export type Bugs = ReadonlySet<ModelBug>;

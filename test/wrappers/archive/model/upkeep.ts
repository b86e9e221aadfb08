/** Taking foreign bytes, claims, repacking, and the one rule of deletion (archive.md 7 and 8). */
import type { Installation } from "./installation.ts";
import { above, compare } from "./join.ts";
import type { Archive, Claim, Rec, Tomb } from "./join.ts";
import { TIMES } from "./store.ts";
import { violation } from "./violation.ts";

/** A foreign file, put into an own archive under its old stamp. */
export function take(me: Installation, path: string): Archive | undefined {
  const record = me.join().at(path);
  if (record === undefined || record.kind === "directory" || me.place(record, me.own()) !== undefined || !me.readable(record)) return undefined;
  const stamp = me.tick();
  const name = me.nextName();
  const taken: Rec = { ...record, at: name, stamp: me.has("take-new-stamp") ? stamp : record.stamp };
  return me.intend({ name, stamp, writer: me.writer, kind: "take", records: [taken], tombs: [], claims: [] });
}

/** Takes over the archives of `of`, unless somebody did. */
export function claim(me: Installation, of: string): Archive | undefined {
  if (of === me.writer || me.holding().has(of)) return undefined;
  const stamp = me.tick();
  const name = me.nextName();
  return me.intend({ name, stamp, writer: me.writer, kind: "claim", records: [], tombs: [], claims: [{ of, by: me.writer, stamp, born: me.store.now }] });
}

function tombNeeded(me: Installation, tomb: Tomb): boolean {
  for (const archive of me.known.values()) {
    for (const record of archive.records) if (record.path === tomb.path && compare(record.stamp, tomb.upTo) <= 0) return true;
  }
  return !me.has("tombstone-no-age") && me.store.now - tomb.born <= TIMES.tomb;
}

function claimNeeded(me: Installation, one: Claim): boolean {
  for (const archive of me.known.values()) if (archive.writer === one.of || archive.claims.some(({ by }) => by === one.of)) return true;
  return me.store.now - one.born <= TIMES.tomb;
}

/** `mask` picks own archives, oldest first. */
export function repack(me: Installation, mask: number): Archive | undefined {
  const own = me.own();
  const sources = new Set(
    own.filter((archive, i) => ((mask >> (i % 8)) & 1) === 1 && !me.unneeded.has(archive.name) && me.isThere(archive.name)).map(({ name }) => name),
  );
  if (sources.size === 0) return undefined;
  const stamp = me.tick();
  const name = me.nextName();
  const records: Rec[] = [];
  const refers: string[] = [];
  const candidates = me.has("repack-dead") ? deadToo(me, sources) : me.join().live();
  for (const record of candidates) {
    const place = me.place(record, own);
    if (place === undefined) continue;
    const bytesHere = record.kind === "file" && sources.has(place.at);
    if (!sources.has(place.home.name) && !bytesHere) continue;
    if (record.kind === "directory" || bytesHere) records.push({ ...record, at: record.kind === "file" ? name : "" });
    else {
      if (me.deleteSent.has(place.at)) throw violation(`a repack refers into ${place.at}, whose delete was sent`);
      refers.push(place.at);
      records.push({ ...record, at: place.at });
    }
  }
  if (!me.has("seal-keeps-unneeded")) for (const at of refers) me.unneeded.delete(at);
  const tombs = new Map<string, Tomb>();
  const claims: Claim[] = [];
  for (const archive of own) {
    if (!sources.has(archive.name)) continue;
    claims.push(
      ...archive.claims.filter((one) => claimNeeded(me, one) && !claims.some((other) => other.of === one.of && compare(other.stamp, one.stamp) === 0)),
    );
    for (const tomb of archive.tombs) {
      if (!tombNeeded(me, tomb)) continue;
      const other = tombs.get(tomb.path);
      const upTo = above(other?.upTo, tomb.upTo) ? (other as Tomb).upTo : tomb.upTo;
      tombs.set(tomb.path, { path: tomb.path, upTo, born: Math.max(tomb.born, other?.born ?? -Infinity), doubt: true });
    }
  }
  return me.intend({ name, stamp, writer: me.writer, kind: "repack", records, tombs: [...tombs.values()], claims });
}

function deadToo(me: Installation, sources: ReadonlySet<string>): Rec[] {
  const records = new Map<string, Rec>();
  for (const archive of me.own())
    if (sources.has(archive.name)) for (const record of archive.records) records.set(record.path, me.join().at(record.path) ?? record);
  for (const record of me.join().live()) records.set(record.path, record);
  return [...records.values()];
}

/** Own archives that nothing needs. */
export function notNeeded(me: Installation): string[] {
  const own = me.own();
  const needed = new Set<string>();
  for (const record of me.join().live()) {
    const place = me.place(record, own);
    if (place === undefined) continue;
    needed.add(place.home.name);
    if (record.kind === "file") needed.add(place.at);
  }
  const free = own.filter((archive, i) => {
    if (needed.has(archive.name)) return false;
    if (me.intents.has(archive.name) && !me.has("uploads-not-waited")) return false;
    const newer = own.slice(i + 1);
    const covered = (tomb: Tomb): boolean =>
      newer.some(({ tombs }) => tombs.some((other) => other.path === tomb.path && compare(other.upTo, tomb.upTo) >= 0 && other.born >= tomb.born));
    if (!me.has("collect-ignores-tombstones") && archive.tombs.some((tomb) => tombNeeded(me, tomb) && !covered(tomb))) return false;
    const contained = (one: Claim): boolean => newer.some(({ claims }) => claims.some((other) => other.of === one.of && compare(other.stamp, one.stamp) === 0));
    return archive.claims.every((one) => !claimNeeded(me, one) || contained(one));
  });
  return free.map(({ name }) => name);
}

/** Archives whose delete is to be sent now. */
export function collect(me: Installation): string[] {
  const free = new Set(notNeeded(me));
  for (const name of me.unneeded.keys()) if (!free.has(name)) me.unneeded.delete(name);
  for (const name of free) if (!me.unneeded.has(name)) me.unneeded.set(name, me.store.now);
  const waited = (since: number): boolean => {
    if (me.has("uploads-not-waited")) return false;
    for (const { kind, started } of me.intents.values()) if (kind !== "solo" && started <= since) return true;
    return false;
  };
  const out: string[] = [];
  for (const [name, since] of me.unneeded) {
    if (me.store.now - since < (me.has("no-grace") ? 0 : TIMES.grace) || waited(since)) continue;
    me.deleteSent.add(name);
    out.push(name);
  }
  return out;
}

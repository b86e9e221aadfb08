/** Sealing: what a group of operations becomes on the view of one installation (archive.md 5.1 and 7). */
import type { Installation } from "./installation.ts";
import type { Archive, Rec, Stamp, Tomb } from "./join.ts";
import { above, isBelow } from "./join.ts";
import { Tree } from "./tree.ts";
import { violation } from "./violation.ts";

export interface Op {
  readonly op: "write" | "delete" | "delete-tree" | "mkdir" | "copy" | "move";
  readonly path: string;
  readonly to: string;
  readonly body: string;
}
/** A sealed group and what the checks want to know about it. */
export interface Sealed {
  readonly archive: Archive;
  /** Operations that the rules did not refuse. */
  readonly done: readonly Op[];
  /** What its writer had in its index: `path|stamp`. */
  readonly saw: ReadonlySet<string>;
  /** What was shown where it writes. */
  readonly over: readonly (readonly [path: string, seen: Stamp])[];
  /** What moves took away, and what they made of it. */
  readonly moves: readonly (readonly [from: string, to: string])[];
}

export const keyOf = (record: Rec): string => `${record.path}|${record.stamp[0]}|${record.stamp[1]}`;

export function seal(me: Installation, ops: readonly Op[]): Sealed | undefined {
  const stamp = me.tick();
  const name = me.nextName();
  const before = me.join();
  const tree = new Tree(before.live());
  const records = new Map<string, Rec>();
  const tombs = new Map<string, Tomb>();
  const done: Op[] = [];
  let moves: (readonly [string, string])[] = [];
  const refers = new Set<string>();

  const set = (record: Rec): void => {
    for (const dir of tree.missingAncestors(record.path)) put({ path: dir, stamp, kind: "directory", content: "", at: "" });
    put(record);
  };
  const put = (record: Rec): void => {
    records.set(record.path, record);
    tree.records.set(record.path, record);
  };
  const kill = (path: string): void => {
    moves = moves.filter(([, to]) => to !== path);
    records.delete(path);
    tree.records.delete(path);
    const shown = before.at(path)?.stamp;
    const doubt = me.doubt(path, shown);
    const upTo = me.has("tombstone-own-stamp") ? stamp : (doubt ?? shown);
    if (upTo === undefined) return;
    const other = tombs.get(path);
    tombs.set(path, {
      path,
      upTo: above(other?.upTo, upTo) ? (other as Tomb).upTo : upTo,
      born: me.store.now,
      doubt: doubt !== undefined || other?.doubt === true,
    });
  };
  const killTree = (path: string): void => {
    const inside = new Set(tree.inside(path).map((record) => record.path));
    inside.add(path);
    for (const doubtful of me.doubtful()) if (isBelow(doubtful, path)) inside.add(doubtful);
    for (const each of inside) kill(each);
  };
  /** The same bytes under another path, or undefined where they cannot be had. */
  const copied = (source: Rec, path: string): Rec | undefined => {
    if (source.kind === "directory") return { ...source, path, stamp };
    if (source.at === name) return { ...source, path, stamp };
    const all = me.has("refer-foreign") ? [...me.known.values()] : me.own();
    const place = me.place(source, all);
    // The bytes too must be own: a copy of the record may stand in an archive of somebody else.
    if (place !== undefined && me.isThere(place.at) && all.some((archive) => archive.name === place.at)) {
      if (me.deleteSent.has(place.at)) throw violation(`a reference into ${place.at}, whose delete was sent`);
      refers.add(place.at);
      return { ...source, path, stamp, at: place.at };
    }
    return me.readable(source) ? { ...source, path, stamp, at: name } : undefined;
  };

  for (const op of ops) {
    const { path, to } = op;
    switch (op.op) {
      case "write":
        if (tree.kind(path) === "directory" || tree.belowFile(path)) continue;
        set({ path, stamp, kind: "file", content: op.body, at: name });
        break;
      case "mkdir":
        if (tree.kind(path) !== undefined || tree.belowFile(path)) continue;
        set({ path, stamp, kind: "directory", content: "", at: "" });
        break;
      case "delete":
        if (tree.hasChildren(path)) continue;
        kill(path);
        break;
      case "delete-tree":
        killTree(path);
        break;
      default: {
        if (!tree.accepts(path, to)) continue;
        const sources = tree.inside(path);
        const targets = sources.map((source) => copied(source, to + source.path.slice(path.length)));
        if (targets.some((target) => target === undefined)) continue;
        for (const target of targets) set(target as Rec);
        if (op.op === "move") {
          killTree(path);
          for (const source of sources) moves.push([source.path, to + source.path.slice(path.length)]);
        }
      }
    }
    done.push(op);
  }
  if (records.size === 0 && tombs.size === 0 && done.length === 0) return undefined;
  // In this same step: a reference that is under way holds back what it refers to.
  if (!me.has("seal-keeps-unneeded")) for (const at of refers) me.unneeded.delete(at);
  const saw = new Set<string>();
  for (const archive of me.known.values()) for (const record of archive.records) saw.add(keyOf(record));
  const over = [...records.keys()].flatMap((path) => {
    const seen = before.at(path)?.stamp;
    return seen === undefined ? [] : [[path, seen] as const];
  });
  const archive: Archive = { name, stamp, writer: me.writer, kind: "group", records: [...records.values()], tombs: [...tombs.values()], claims: [] };
  return { archive: me.intend(archive), done, saw, over, moves };
}

/** A large file whose body has ended. `begun`: the stamp of a layer that takes it too early. */
export function sealSolo(me: Installation, path: string, body: string, begun: Stamp): Sealed | undefined {
  const tree = new Tree(me.join().live());
  if (tree.kind(path) === "directory" || tree.belowFile(path)) return undefined;
  const stamp = me.has("solo-stamped-at-start") ? begun : me.tick();
  const name = me.nextName();
  const records: Rec[] = tree.missingAncestors(path).map((dir) => ({ path: dir, stamp, kind: "directory", content: "", at: "" }));
  records.push({ path, stamp, kind: "file", content: body, at: name });
  const seen = me.join().at(path)?.stamp;
  const archive: Archive = { name, stamp, writer: me.writer, kind: "solo", records, tombs: [], claims: [] };
  return {
    archive: me.intend(archive),
    done: [{ op: "write", path, to: path, body }],
    saw: new Set(),
    over: seen === undefined ? [] : [[path, seen]],
    moves: [],
  };
}

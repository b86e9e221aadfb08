/** Whose is what a move or a copy finds at its source or its target? By what the view knew of both when it was called. */
import type { Entry, StorePath } from "../../store/index.ts";
import type { Barrier } from "./barriers.ts";
import type { Core } from "./core.ts";
import { hasFlight } from "./journal-changes.ts";
import type { Bytes } from "./remote.ts";
import { ABSENT, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

/** Has nothing of ours ever arrived at the source of this move of a file? Whatever is there is another client's. */
export function isUnsent(core: Core, { kind, seq, src, tree }: Barrier): boolean {
  return kind === "move" && tree === 0 && core.rules.movedIsCompared && core.barriers.expected(seq, src)?.etag === null;
}

/**
 * Has another client replaced the source of this move of a file, and is what the move brings replaced or deleted here by now? Their version would be gone from
 * both places. Where it is wanted it is moved, whoever wrote it.
 */
export async function isTheirs(core: Core, { kind, seq, src, dst }: Barrier): Promise<boolean> {
  if (kind !== "move" || dst === null || !core.rules.movedIsCompared) return false;
  const known = core.barriers.expected(seq, src);
  if (known === undefined) return false;
  const { place, node } = standing(core, dst, seq);
  if (isWanted(core, place, node)) return false;
  const found = await core.remote.look(src);
  return found !== null && found.kind === "file" && found.etag !== null && found.etag !== known.etag;
}

/** Has an earlier try of this move landed, and another client written at its source since? By what is told of both files. */
export async function hasLanded(core: Core, { kind, seq, src, dst }: Barrier, source: Entry, target: Entry): Promise<boolean> {
  const known = core.barriers.expected(seq, src);
  if (kind !== "move" || dst === null || !core.rules.movedIsCompared || known === undefined || source.etag === null || source.etag === known.etag) return false;
  for (const one of bytesOf(core, { seq, src }, standing(core, dst, seq).node)) if ((await hasBytes(core, one, target)) === true) return true;
  return false;
}

/** Is this what the view had at the target of a file's move or copy? */
export async function wasThere(core: Core, seq: number, found: Entry): Promise<boolean> {
  const etag = core.barriers.expected(seq, found.path)?.etag;
  if (etag !== undefined && etag !== null) return etag === found.etag;
  return hasOneOf(core, core.barriers.versions(seq, found.path), found);
}

/** What the operation is to bring: one of these. None: nothing is known. */
export function bytesOf(core: Core, { seq, src }: Pick<Barrier, "seq" | "src">, node: NodeRow | undefined): readonly Bytes[] {
  const known = core.barriers.versions(seq, src);
  return known.length > 0 || node?.base_kind !== FILE ? known : [node];
}

/** As `Remote.hasBytes`; an answer that tells no hashes is completed. */
export async function hasBytes(
  core: Core,
  known: Bytes,
  found: Entry,
  compareMaxBytes: number = core.settings().compareMaxBytes,
): Promise<boolean | undefined> {
  const told = known.base_hashes !== null && Object.keys(found.hashes).length === 0 ? await core.remote.look(found.path) : found;
  return told === null || told.etag !== found.etag ? undefined : core.remote.hasBytes(known, told, compareMaxBytes);
}

/** Or nothing tells that it has not. */
export async function hasOneOf(core: Core, known: readonly Bytes[], found: Entry, compareMaxBytes?: number): Promise<boolean> {
  for (const one of known) if ((await hasBytes(core, one, found, compareMaxBytes)) !== false) return true;
  return false;
}

export function isWanted(core: Core, place: StorePath | undefined, node: NodeRow | undefined): boolean {
  return place !== undefined && (node === undefined || !isPending(core, node));
}

/** Where the view has by now what the operation `seq` put at `path`, unless something else was put there since. */
export function placeOf(core: Core, path: StorePath, seq: number): StorePath | undefined {
  return core.barriers.spread(path, seq).find((place) => core.barriers.behind(place, seq) === path);
}

export function standing(core: Core, path: StorePath, seq: number): { readonly place: StorePath | undefined; readonly node: NodeRow | undefined } {
  const place = placeOf(core, path, seq);
  return { place, node: place === undefined ? undefined : core.tree.at(place) };
}

export function isPending(core: Core, node: NodeRow): boolean {
  return (node.kind === FILE || node.kind === ABSENT) && node.dirty === 1 && !hasFlight(core, node);
}

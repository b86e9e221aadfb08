/** Another client has changed what we are about to change: ours keeps the path, theirs is kept beside it, our delete gives way. */
import { createHash } from "node:crypto";
import { StoreError, calls, hasCode, join, nameOf, parentOf } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { noteConflict } from "./outcomes.ts";
import { baseOf, noBase } from "./remote.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import { ancestors } from "./tree.ts";

/** The same version of theirs has the same name, so a repetition after a crash makes no second copy. */
export function conflictName(core: Core, path: StorePath, theirs: Entry): StorePath {
  const version = core.rules.conflictNameIsStable ? (theirs.etag ?? `${theirs.size} ${theirs.modifiedMs}`) : String(core.numbers.next());
  const hash = createHash("sha256")
    .update(JSON.stringify([path, version]))
    .digest("hex")
    .slice(0, 8);
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= 20 ? name.slice(dot) : "";
  const tail = `.conflict-${hash}${extension}`;
  let stem = name.slice(0, name.length - extension.length);
  while (Buffer.byteLength(stem) + Buffer.byteLength(tail) > core.remoteCan.maxNameBytes && stem.length > 1) stem = Array.from(stem).slice(0, -1).join("");
  return join(parentOf(path), `${stem}${tail}`);
}

/** Theirs, under its own name. It stands there when this returns; if it cannot be kept, ours is not sent. */
export async function keepTheirs(core: Core, path: StorePath, theirs: Entry): Promise<StorePath> {
  const kept = conflictName(core, path, theirs);
  const { remoteCan, inner, ended } = core;
  try {
    if (remoteCan.copy === false) await stream(core, path, kept);
    else if (remoteCan.copyIfAbsent !== false) await inner.copy(calls.copy(path, kept, { ifAbsent: true, signal: ended }));
    else if ((await core.remote.look(kept)) === null) await inner.copy(calls.copy(path, kept, { signal: ended }));
  } catch (error) {
    // An earlier try of ours has put it there.
    if (!hasCode(error, "already-exists")) throw error;
  }
  core.step("conflict.copied");
  return kept;
}

async function stream(core: Core, path: StorePath, kept: StorePath): Promise<void> {
  if ((await core.remote.look(kept)) !== null) return;
  const { entry, body } = await core.inner.read(calls.read(path, { signal: core.ended, fresh: true }));
  await using from = body;
  await core.inner.write(calls.write(kept, from, { signal: core.ended, ...(entry.size === null ? {} : { size: entry.size }) }));
}

/** Something of theirs stands where a directory of ours has to be. */
export async function moveTheirs(core: Core, path: StorePath, theirs: Entry): Promise<StorePath> {
  const kept = conflictName(core, path, theirs);
  const { remoteCan, inner, ended } = core;
  if (remoteCan.move === false) throw new StoreError("not-a-directory", "a file of another client is in the way", { applied: false });
  try {
    await inner.move(calls.move(path, kept, { ...(remoteCan.moveIfAbsent === false ? {} : { ifAbsent: true }), signal: ended }));
  } catch (error) {
    if (!hasCode(error, "not-found")) throw error;
  }
  return kept;
}

/**
 * What is to be recorded about a row of which the remote holds something that nobody here has seen. The work at the remote is done when it resolves;
 * the function it gives runs inside of a transaction, after whatever ends the flight.
 */
export async function conflict(core: Core, before: NodeRow, path: StorePath, theirs: Entry): Promise<() => void> {
  const gen = core.numbers.next();
  const now = (): NodeRow | undefined => core.tree.row(before.id);
  if (before.kind === ABSENT) {
    if (!core.rules.deleteGivesWay)
      return () => {
        const node = now();
        if (node !== undefined) core.tree.update(node, { ...baseOf(theirs, gen), due: core.clock.now() });
      };
    return () => {
      const node = now();
      if (node === undefined) return;
      // Written again meanwhile: then it is a file, and its next try meets theirs.
      if (node.kind === ABSENT) core.tree.remove(node);
      core.watches.touch(path);
      noteConflict(core, path, null, "deleted here and changed by another client: the change stays");
    };
  }
  if (before.kind === DIRECTORY) {
    const kept = await moveTheirs(core, path, theirs);
    return () => {
      const node = now();
      if (node !== undefined) core.tree.update(node, { due: core.clock.now() });
      noteConflict(core, path, kept, "a file of another client stood where a directory was made: it was renamed");
    };
  }
  if (theirs.kind === "directory") return () => renameOurs(core, before, path, theirs);
  const kept = core.rules.keepsTheirs ? await keepTheirs(core, path, theirs) : null;
  return () => {
    const node = now();
    if (node !== undefined) core.tree.update(node, { ...baseOf(theirs, gen), due: core.clock.now() });
    core.watches.touch(path);
    noteConflict(core, path, kept, "changed by another client as well: their version was kept under another name");
    core.journal.after(() => core.step("conflict.based"));
  };
}

/** Their directory keeps the path: what is in it cannot be put aside for a file. */
function renameOurs(core: Core, before: NodeRow, path: StorePath, theirs: Entry): void {
  const node = core.tree.row(before.id);
  if (node === undefined || node.kind !== FILE) return;
  const kept = conflictName(core, path, theirs);
  if (core.tree.child(node.parent, nameOf(kept)) === undefined) {
    core.tree.update(node, { name: nameOf(kept), due: core.clock.now(), ...noBase(ABSENT, core.numbers.next()) });
    core.watches.touch(path);
    core.watches.touch(kept);
  }
  noteConflict(core, path, kept, "another client made a directory of this name: the file written here was renamed");
}

/** After `not-a-directory`: files of others that stand where directories of ours have to be are renamed. False: there was none. */
export async function clearParents(core: Core, path: StorePath): Promise<boolean> {
  for (const at of ancestors(path)) {
    const found = await core.remote.look(at);
    if (found === null) return false;
    if (found.kind === "directory") continue;
    const kept = await moveTheirs(core, at, found);
    core.group.record(() => noteConflict(core, at, kept, "a file of another client stood where a directory is: it was renamed"));
    return true;
  }
  return false;
}

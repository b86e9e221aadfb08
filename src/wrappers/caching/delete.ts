/** `delete` and `mkdir`, journalled. */
import { entry, nameOf } from "../../store/index.ts";
import type { DeleteCall, Entry, MkdirCall } from "../../store/index.ts";
import { checkEmpty, checkParents, refusal, roomForBarrier } from "./checks.ts";
import type { Core } from "./core.ts";
import { entryOf } from "./entries.ts";
import { change } from "./facts.ts";
import { changed, deleteDirectory, deleteFile, deleteTree, giveWay, makeParents } from "./journal-changes.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import { know } from "./view.ts";

export async function remove(core: Core, { path, recursive, signal }: DeleteCall): Promise<void> {
  await roomForBarrier(core, signal);
  await change(
    core,
    [path],
    (facts) => {
      const { known } = core.tree.look(path);
      // A look, so that what nobody here has seen is deleted only as it was then.
      const { kind, entry: found } = core.rules.deleteLooksFirst || known !== undefined ? know(core, path, facts) : { kind: FILE, entry: undefined };
      if (kind === ABSENT) return () => {};
      if (kind === DIRECTORY && !recursive) checkEmpty(core, path, facts);
      return () => {
        if (kind === FILE) deleteFile(core, path, found, () => undefined);
        else if (recursive) deleteTree(core, path);
        else deleteDirectory(core, path);
        core.journal.after(() => {
          core.step("delete.committed");
          core.events.tell("pending", path);
          core.uploader.wake();
        });
      };
    },
    { signal, room: false },
  );
}

export async function makeDirectory(core: Core, { path, existOk, signal }: MkdirCall): Promise<Entry> {
  return change(
    core,
    [path],
    (facts) => {
      const { kind, node, entry: found } = know(core, path, facts);
      if (kind === FILE || (kind === DIRECTORY && !existOk)) throw refusal("already-exists", "something of this name is there");
      if (kind === DIRECTORY) return () => existing(core, node, found, path);
      const parents = checkParents(core, path, facts, true);
      return () => {
        const parent = makeParents(core, path, parents, false);
        const there = core.tree.child(parent, nameOf(path));
        if (there !== undefined) giveWay(core, there, path);
        const id = core.numbers.row();
        core.tree.insert({ id, parent, name: nameOf(path), kind: DIRECTORY, ...changed(core, undefined, core.clock.now()), base_kind: ABSENT });
        pending(core, path);
        return entry({ path, kind: "directory" });
      };
    },
    { signal },
  );
}

/** Made once more on purpose, a directory stays although it is empty: where the service has no real ones it has to be told. */
function existing(core: Core, node: NodeRow | undefined, found: Entry | null | undefined, path: MkdirCall["path"]): Entry {
  if (node !== undefined && node.implied !== 0 && node.id !== 1 && (node.dirty === 1 || core.remoteCan.directories === "implied")) {
    core.tree.update(node, { implied: 0, ...changed(core, node, core.clock.now()) });
    pending(core, path);
  }
  return node === undefined ? (found ?? entry({ path, kind: "directory" })) : entryOf(core, node, path);
}

function pending(core: Core, path: MkdirCall["path"]): void {
  core.journal.after(() => {
    core.events.tell("pending", path);
    core.uploader.wake();
  });
}

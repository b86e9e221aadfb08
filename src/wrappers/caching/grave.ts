/**
 * Where the remote shows changes late, what was deleted here stays deleted for that long: its whiteout is kept, clean, until every answer must know.
 */
import { nameOf } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { isLate, makeParents } from "./journal-changes.ts";
import { noBase } from "./remote.ts";
import { ABSENT } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

/** Inside of a transaction, when the remote has answered. False: there is nothing to wait for, the whiteout may go. */
export function bury(core: Core, node: NodeRow): boolean {
  if (!isLate(core)) return false;
  const gen = core.numbers.next();
  core.tree.update(node, { dirty: 0, gen, since: null, due: null, wait: null, tries: 0, error: null, checked: core.clock.now(), ...noBase(ABSENT, gen) });
  forgetLater(core, node.id, gen);
  return true;
}

/** The same for a path of which no row is left: the source of a move, a deleted tree. */
export function buryPath(core: Core, path: StorePath): void {
  if (!isLate(core) || core.tree.look(path).known !== undefined) return;
  const parent = makeParents(core, path, () => undefined, true);
  const id = core.numbers.row();
  const gen = core.numbers.next();
  core.tree.insert({ id, parent, name: nameOf(path), kind: ABSENT, dirty: 0, gen, checked: core.clock.now(), ...noBase(ABSENT, gen) });
  forgetLater(core, id, gen);
}

function forgetLater(core: Core, id: number, gen: number): void {
  const { clock, ended, group, journal, tree, remoteCan } = core;
  journal.after(() => {
    core.background(async () => {
      await clock.sleep(remoteCan.consistency.settleMs, ended, { background: true }).catch(() => {});
      if (ended.aborted) return;
      group.record(() => {
        const now = tree.row(id);
        if (now !== undefined && now.gen === gen && now.dirty === 0) tree.remove(now);
      });
    });
  });
}

/** `write`, acknowledged when it is safe on this disk. */
import { StoreError } from "../../store/index.ts";
import type { Entry, WriteCall } from "../../store/index.ts";
import { checkParents, refusal } from "./checks.ts";
import type { Core } from "./core.ts";
import { entryOf } from "./entries.ts";
import { evictIfNeeded } from "./evict.ts";
import { change } from "./facts.ts";
import { afterPending, dueOf, fileFacts, makeParents, setFile } from "./journal-changes.ts";
import { DIRECTORY } from "./rows.ts";
import { spoolBody } from "./spool.ts";
import type { Spooled } from "./spool.ts";
import { know } from "./view.ts";

/** Of small bodies: at most so many times 64 KiB come between two looks at the free space. */
const LOOK_EVERY_WRITES = 64;

export async function write(core: Core, call: WriteCall): Promise<Entry> {
  const { path, signal } = call;
  refuseEarly(core, call);
  const spooled = await spool(core, call);
  try {
    const ask = core.settings().unknownPaths === "ask";
    return await change(
      core,
      [path],
      (facts) => {
        const { known, node } = core.tree.look(path);
        const { kind, entry: found } = known === DIRECTORY || (known === undefined && ask) ? know(core, path, facts) : { kind: known, entry: undefined };
        if (kind === DIRECTORY) throw refusal("is-a-directory", "there is a directory of this name");
        const exists = found !== undefined && found !== null;
        const parents = exists ? () => undefined : checkParents(core, path, facts, ask);
        return () => {
          // The upload makes the directories: they are looked at after it.
          const parent = makeParents(core, path, parents, exists, dueOf(core, core.clock.now()) + 1);
          core.content.add(spooled, null);
          const written = setFile(core, path, parent, fileFacts(core, spooled.id, spooled.size, call), afterPending(core, path, found));
          if (node !== undefined) core.uploader.abandon(node.id, "untouched");
          core.journal.after(() => {
            core.events.tell("pending", path, { bytes: spooled.size });
            core.uploader.wakeAt(written.due ?? 0);
            evictIfNeeded(core);
          });
          return entryOf(core, written, path);
        };
      },
      { signal, bytes: spooled.data === null ? 0 : spooled.size, directories: spooled.directories },
    );
  } catch (error) {
    await discard(core, spooled, error);
    throw error;
  }
}

/** What the tree knows is refused before the body is taken. */
function refuseEarly(core: Core, { path }: WriteCall): void {
  const { known, node, blocker } = core.tree.look(path);
  if (known === DIRECTORY && (node?.dirty === 1 || path === "/")) throw refusal("is-a-directory", "there is a directory of this name");
  if (blocker !== undefined && blocker.kind === 1) throw refusal("not-a-directory", "a parent of this path is a file");
}

export function spool(core: Core, { body, signal }: Pick<WriteCall, "body" | "signal">): Promise<Spooled> {
  const { inlineBytes, durability, minFreeBytes } = core.settings();
  return spoolBody(body, signal, {
    contentDirectory: core.content.directory,
    rules: core.rules,
    step: core.step,
    inlineBytes,
    flush: durability === "power",
    hashes: core.remoteCan.hashes,
    minFreeBytes,
    maxBytes: core.remoteCan.maxFileBytes,
    newId: () => core.content.newId(core.numbers),
    durableBlocks: core.durableBlocks,
    sampled: async (look) => {
      if (core.spaceLook.writes++ % LOOK_EVERY_WRITES === 0) await look();
    },
    room: (bytes, abort) => core.room.wait(bytes, abort),
  });
}

/** The bytes of a call that changed nothing go. Where nobody knows they stay: the sweep of the next opening knows. */
export async function discard(core: Core, spooled: Spooled, error: unknown): Promise<void> {
  if (spooled.data === null && StoreError.is(error) && error.applied === false && core.content.facts(spooled.id) === undefined)
    await core.content.unlink([spooled.id]);
}

/**
 * Calls that go to the remote at once: with a condition, which holds against others only when it reaches the service, or in write-through mode. They
 * wait until everything pending on their paths has arrived, hold the paths, and are answered by what the remote says.
 */
import { StoreError, calls, hasCode, nameOf, undone } from "../../store/index.ts";
import type { CopyCall, DeleteCall, Entry, MkdirCall, MoveCall, StorePath, WriteCall } from "../../store/index.ts";
import { alone } from "./alone.ts";
import { liesBeside } from "./beside.ts";
import { refusal } from "./checks.ts";
import { spooledBytes } from "./content-reader.ts";
import type { Core } from "./core.ts";
import { entryOf, etagOf, withLocalEtag } from "./entries.ts";
import { evictIfNeeded } from "./evict.ts";
import { refuseFlatMkdir, refuseFlatTransfer, refuseFlatWrite } from "./flat.ts";
import { orGone } from "./gave-up.ts";
import { addBarrier, dropTree, fileFacts, makeParents } from "./journal-changes.ts";
import { arrivedAs, isSoft, learn } from "./learn.ts";
import { baseOf } from "./remote.ts";
import { asStoreError } from "./retry-policy.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import type { Spooled } from "./spool.ts";
import { statRemote } from "./stat-remote.ts";
import { stat } from "./view.ts";
import { discard, spool } from "./write.ts";

/** Journals that a request is under way, sends it, and ends the journalled. What nobody knows stays, and holds the paths until it is sure. */
async function sent<T>(core: Core, src: StorePath, dst: StorePath | null, request: () => Promise<T>, record: (answer: T) => void): Promise<T> {
  const seq = await core.group.add(() => {
    if (core.rules.ancestorsMayExist) for (const path of dst === null ? [src] : [src, dst]) parentsMayExist(core, path);
    return addBarrier(core, "hold", src, dst, { run: true });
  });
  let answer: T;
  try {
    answer = await request();
  } catch (error) {
    const told = asStoreError(error);
    core.group.record(() => {
      if (told.applied === false) return core.barriers.remove(seq);
      // Nothing that is known of these paths is sure any more.
      for (const path of dst === null ? [src] : [src, dst]) forgetAll(core, path);
      core.barriers.update(seq, { doubt: 1 });
    });
    core.uploader.inDoubt(seq);
    throw error;
  }
  core.group.record(() => {
    core.barriers.remove(seq);
    core.counts.arrived++;
    for (const path of dst === null ? [src] : [src, dst]) core.watches.touch(path);
    record(answer);
  });
  return answer;
}

function parentsMayExist(core: Core, path: StorePath): void {
  for (let node = core.tree.at(path) ?? nearest(core, path); node !== undefined && node.id !== 1; node = core.tree.row(node.parent))
    if (node.kind === DIRECTORY && node.base_kind === ABSENT) core.tree.update(node, { base_kind: null });
}

function nearest(core: Core, path: StorePath): NodeRow | undefined {
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    const node = core.tree.at(path.slice(0, at) as StorePath);
    if (node !== undefined) return node;
  }
  return undefined;
}

function forgetAll(core: Core, path: StorePath): void {
  const node = core.tree.at(path);
  if (node !== undefined && node.id !== 1) dropTree(core, node);
  core.watches.touch(path);
}

/**
 * An etag of ours stands for the remote's of the same bytes, which has to be learnt where the file came to its place by a copy or a move.
 * @throws StoreError `precondition-failed` where the remote has other bytes by now
 */
async function etagThere(core: Core, path: StorePath, etag: string, signal: AbortSignal | undefined): Promise<string> {
  const { node, moved } = core.tree.look(path);
  if (node === undefined || node.kind !== FILE || etag !== etagOf(node, core.remoteCan)) return etag;
  if (node.base_etag !== null && !isSoft(core, node, moved)) return node.base_etag;
  const found = await statRemote(core, path, { fresh: true, signal });
  await learn(core, node, found, path);
  const now = core.tree.row(node.id);
  if (now === undefined || now.gen !== node.gen || now.base_etag === null)
    throw new StoreError("precondition-failed", "the file has another etag, or is gone", { applied: false });
  return now.base_etag;
}

/** What the view can refuse by itself, before anything is waited for. */
function refuseHere(core: Core, path: StorePath, { ifAbsent, ifMatch }: { readonly ifAbsent?: boolean; readonly ifMatch?: string | undefined }): void {
  if (!core.rules.conditionsAreRemote && ifAbsent === true && core.tree.look(path).known !== undefined && core.tree.look(path).known !== ABSENT)
    throw refusal("already-exists", "something of this name is there");
  const { known, node } = core.tree.look(path);
  if (node === undefined && known === undefined) return;
  if (ifAbsent === true && node?.dirty === 1 && node.kind !== ABSENT) throw refusal("already-exists", "something of this name is there");
  if (ifMatch === undefined || node?.dirty !== 1) return;
  if (node.kind === FILE && (ifMatch === etagOf(node, core.remoteCan) || ifMatch === node.base_etag)) return;
  if (node.kind === DIRECTORY) return;
  throw new StoreError("precondition-failed", "the file has another etag, or is gone", {
    applied: false,
    ...(node.kind === FILE ? { entry: entryOf(core, node, path) } : {}),
  });
}

export async function writeNow(core: Core, call: WriteCall): Promise<Entry> {
  const { path, signal } = call;
  refuseHere(core, path, call);
  await refuseFlatWrite(core, path, signal);
  const spooled = await spool(core, call);
  try {
    return await alone(core, [path], signal, async () => {
      const ifMatch = call.ifMatch === undefined ? undefined : await etagThere(core, path, call.ifMatch, signal);
      const answer = await orGone(
        sent(
          core,
          path,
          null,
          () => core.inner.write({ ...call, body: calls.write(path, bodyOf(core, spooled)).body, expect: undefined, ifMatch }),
          (found) => keep(core, call, spooled, found),
        ),
        undefined,
      );
      evictIfNeeded(core);
      const node = core.tree.at(path);
      if (node === undefined) return answer;
      // Its bytes may have left already.
      return node.content === spooled.id ? entryOf(core, node, path) : withLocalEtag(core, node, answer);
    });
  } catch (error) {
    await discard(core, spooled, undone(asStoreError(error)));
    throw error;
  }
}

function bodyOf(
  core: Core,
  { id, data, size }: Spooled,
): Uint8Array | { readonly size: number; open(range?: { offset: number; length?: number | undefined }): AsyncIterable<Uint8Array> } {
  if (data !== null) return data;
  return { size, open: (range) => spooledBytes(core, id, size, range) };
}

/** Clean, with the bytes that were just sent. */
function keep(core: Core, call: WriteCall, spooled: Spooled, found: Entry): void {
  const { path } = call;
  const now = core.clock.now();
  core.content.add(spooled, Math.floor(now / 1000));
  if (liesBeside(core, path)) return core.content.unref(spooled.id);
  const facts = fileFacts(core, spooled.id, spooled.size, call);
  const row = {
    kind: FILE,
    dirty: 0,
    gen: core.numbers.next(),
    since: null,
    due: null,
    wait: null,
    tries: 0,
    error: null,
    implied: 0,
    ...facts,
    local: 1,
    ...arrivedAs(core, facts, found),
    checked: now,
    ...baseOf(found, core.numbers.next(), spooled.crc),
  } as const;
  const there = core.tree.at(path);
  if (there !== undefined) {
    core.content.unref(there.content);
    core.tree.update(there, row);
    return;
  }
  const parent = makeParents(core, path, () => undefined, true);
  core.tree.insert({ id: core.numbers.row(), parent, name: nameOf(path), ...row });
}

export async function deleteNow(core: Core, call: DeleteCall): Promise<void> {
  const { path, signal } = call;
  refuseHere(core, path, call);
  await alone(core, [path], signal, async () => {
    const ifMatch = call.ifMatch === undefined ? undefined : await etagThere(core, path, call.ifMatch, signal);
    await sent(
      core,
      path,
      null,
      () => core.inner.delete({ ...call, ifMatch }),
      () => forgetAll(core, path),
    );
  });
}

export async function makeDirectoryNow(core: Core, call: MkdirCall): Promise<Entry> {
  await refuseFlatMkdir(core, call.path, call.signal);
  return alone(core, [call.path], call.signal, () =>
    sent(
      core,
      call.path,
      null,
      () => core.inner.mkdir(call),
      () => {},
    ),
  );
}

/** A target that the view has already. A missing source is told first. */
async function refuseTaken(core: Core, { path, to, signal }: CopyCall | MoveCall): Promise<void> {
  try {
    refuseHere(core, to, { ifAbsent: true });
  } catch (refused) {
    await stat(core, { operation: "stat", path, signal, detail: "basic", fresh: false }).catch((error: unknown) => {
      throw hasCode(error, "not-found") ? refusal("not-found", "nothing is there") : error;
    });
    throw refused;
  }
}

export async function transferNow(core: Core, call: CopyCall | MoveCall): Promise<Entry> {
  const { path, to, signal } = call;
  if (call.ifAbsent) await refuseTaken(core, call);
  await refuseFlatTransfer(core, call);
  return alone(core, [path, to], signal, () =>
    sent(
      core,
      path,
      to,
      () => (call.operation === "move" ? core.inner.move(call) : core.inner.copy(call)),
      () => {
        if (call.operation === "move") forgetAll(core, path);
        forgetAll(core, to);
      },
    ),
  );
}

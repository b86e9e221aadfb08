/** Sends one pending tree operation: whole where the remote can and nothing was begun, else file by file; continued, never started over. */
import { StoreError, calls, hasCode, rebase } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { arrivals } from "./arrivals.ts";
import type { Sent } from "./arrivals.ts";
import { endBarrier } from "./barrier-end.ts";
import type { Barrier } from "./barriers.ts";
import { clearParents, conflictName, keepTheirs, moveTheirs } from "./conflict.ts";
import type { Core } from "./core.ts";
import { noteConflict } from "./outcomes.ts";
import { asStoreError, backOffMs, errorText, verdictOn } from "./retry-policy.ts";
import { ABSENT, DIRECTORY } from "./rows.ts";
import { isSame, saysSame } from "./same.ts";
import { ancestors } from "./tree.ts";
import { hasLanded, hasOneOf, isTheirs, isUnsent, wasThere } from "./whose.ts";

/** A barrier with this `due` waits for a person. */
export const PARKED_DUE = 9e15;
/** Versions of another client that are kept before a request is tried again later. */
const MOST_PUT_ASIDE = 4;

export interface BarrierEnd {
  readonly error?: StoreError | undefined;
  readonly doubt?: boolean | undefined;
}

export async function runBarrier(core: Core, seq: number): Promise<BarrierEnd> {
  const before = core.barriers.get(seq);
  if (before === undefined) return {};
  if (before.kind === "hold") {
    // Its request can no longer land; what it did is what the remote says from now on.
    core.group.record(() => core.barriers.remove(seq));
    return {};
  }
  const run = (): boolean => {
    const now = core.barriers.get(seq);
    if (now === undefined || core.locks.isHeld(now.dst === null ? [now.src] : [now.src, now.dst])) return false;
    if (now.dst !== null && core.rules.ancestorsMayExist) parentsMayExist(core, now.dst);
    core.barriers.update(seq, { run: 1, doubt: 0, step: 1 });
    return true;
  };
  if (!(core.rules.flushesBeforeSend ? await core.group.add(run, { room: false }) : core.group.record(run))) return {};
  core.step("barrier.run");
  try {
    const sent = await send(core, before);
    const arrived = await arrivals(core, before, sent);
    core.step("barrier.answered");
    core.group.record(() => endBarrier(core, before, sent, arrived));
    core.step("barrier.ended");
    return {};
  } catch (error) {
    return stopped(core, before, asStoreError(error));
  }
}

function parentsMayExist(core: Core, path: StorePath): void {
  for (const at of ancestors(path)) {
    const node = core.tree.at(at);
    if (node?.kind === DIRECTORY && node.base_kind === ABSENT) core.tree.update(node, { base_kind: null });
  }
}

function stopped(core: Core, barrier: Barrier, error: StoreError): BarrierEnd {
  const unknown = error.applied === "unknown" || core.ended.aborted;
  const begun = unknown || error.applied !== false || barrier.step === 1;
  const tries = barrier.tries + 1;
  const verdict = verdictOn(error, tries);
  core.group.record(() => {
    if (core.barriers.get(barrier.seq) === undefined) return;
    const parked = verdict === "parked" && !unknown;
    core.barriers.update(barrier.seq, {
      run: 0,
      doubt: unknown && core.rules.holdsDoubt ? 1 : 0,
      step: begun ? 1 : 0,
      tries,
      error: errorText(error),
      due: parked ? PARKED_DUE : core.clock.now() + backOffMs(tries, error, core.random),
    });
    core.journal.after(() =>
      core.events.tell(parked ? "parked" : "failed", barrier.src, {
        code: error.code,
        reason: error.reason,
        ...(barrier.dst === null ? {} : { to: barrier.dst }),
      }),
    );
  });
  core.counts.uploadErrors++;
  return { error, doubt: unknown };
}

async function send(core: Core, barrier: Barrier): Promise<Sent> {
  if (barrier.kind === "delete") return deleteTree(core, barrier);
  if (barrier.kind === "remove") return removeDirectory(core, barrier);
  if (isUnsent(core, barrier)) return "missing";
  if (barrier.kind === "move" && barrier.doubt === 1 && (await core.remote.look(barrier.src)) === null) return "done";
  return barrier.tree === 0 ? oneFile(core, barrier) : wholeTree(core, barrier);
}

async function deleteTree(core: Core, { src }: Barrier): Promise<"done"> {
  try {
    await core.inner.delete(calls.delete(src, { recursive: true, signal: core.ended }));
  } catch (error) {
    if (!hasCode(error, "not-found", "not-a-directory")) throw error;
  }
  return "done";
}

/** What was deleted in it, deepest first, then the directory. What others have put there stays, and brings the directory back. */
async function removeDirectory(core: Core, { seq, src }: Barrier): Promise<"done"> {
  const { inner, ended, remoteCan, rules } = core;
  if (!rules.removeIsPlain) return deleteTree(core, { src } as Barrier);
  const items = core.barriers.items(seq).sort((a, b) => (a.path < b.path ? 1 : -1));
  let gaveWay = false;
  for (const { path, etag } of items) {
    const at = path as StorePath;
    try {
      const known = etag === null ? core.barriers.versions(seq, at) : [];
      let ifMatch = etag;
      if (known.length > 0 || (etag !== null && remoteCan.deleteIfMatch === false)) {
        const found = await core.remote.look(at);
        if (found === null) continue;
        const isOurs = etag === null ? await hasOneOf(core, known, found) : found.etag === etag;
        if (!isOurs) throw new StoreError("precondition-failed", "the file is another version", { applied: false });
        ifMatch = remoteCan.deleteIfMatch === false ? null : found.etag;
      }
      await inner.delete(calls.delete(at, { signal: ended, ...(ifMatch === null || !rules.sendsConditions ? {} : { ifMatch }) }));
    } catch (error) {
      if (hasCode(error, "not-found", "not-a-directory")) continue;
      if (!hasCode(error, "precondition-failed", "not-empty", "is-a-directory")) throw error;
      if (hasCode(error, "precondition-failed") && (await core.remote.look(at)) === null) continue;
      gaveWay ||= at === src;
      core.group.record(() => noteConflict(core, at, null, "deleted here and changed by another client: the change stays"));
    }
    core.step("barrier.step");
  }
  if (items.some(({ path }) => path === src) || gaveWay) return "done";
  try {
    await inner.delete(calls.delete(src, { signal: ended }));
  } catch (error) {
    if (hasCode(error, "not-empty"))
      core.group.record(() => noteConflict(core, src, null, "removed here while another client put something into it: the directory stays"));
    else if (!hasCode(error, "not-found", "not-a-directory")) throw error;
  }
  return "done";
}

async function oneFile(core: Core, barrier: Barrier): Promise<Sent> {
  const { kind, src, seq, fresh, step } = barrier;
  const dst = barrier.dst as StorePath;
  const isKnown = core.barriers.knowsTarget(barrier);
  const first = step === 0;
  if (!first || (isKnown && (fresh === 0 || !canBeFresh(core, kind)))) {
    const source = await core.remote.look(src);
    if (source === null) return "missing";
    const target = await core.remote.look(dst);
    if (target !== null && target.kind === "file" && !(await isReplaced(target))) {
      if (!first && (await hasLanded(core, barrier, source, target))) return target;
      const same = !first && (await isSame(core, source, target));
      if (same && saysSame(source, target)) {
        if (kind === "move") await removeSource(core, src, source);
        return target;
      }
      if (!same && isKnown) await putAside(core, dst, target);
    }
    if (target?.kind === "directory") await putAside(core, dst, target);
    return moveOrCopy(core, barrier, false);
  }
  return moveOrCopy(core, barrier, fresh === 1);

  /** What the view had at the target, or nobody knows what that was. */
  async function isReplaced(target: Entry): Promise<boolean> {
    return fresh === 0 && (isKnown ? wasThere(core, seq, target) : first);
  }
}

/** What may not be taken along is looked at last: until then another client's version may have been put aside. */
async function moveOrCopy(core: Core, barrier: Barrier, ifAbsent: boolean): Promise<Sent> {
  if (await isTheirs(core, barrier)) return "theirs";
  const sent = await transferOne(core, barrier.kind, barrier.src, barrier.dst as StorePath, ifAbsent);
  // It was copied and still stands there, so the same request would be refused again, and for ever.
  return sent === "kept" ? moveOrCopy(core, barrier, false) : sent;
}

function canBeFresh({ remoteCan }: Core, kind: Barrier["kind"]): boolean {
  return (kind === "move" ? remoteCan.moveIfAbsent : remoteCan.copyIfAbsent) !== false;
}

/** `kept`: a file of another client stood at the target; there is a copy of it now. */
async function transferOne(core: Core, kind: Barrier["kind"], src: StorePath, dst: StorePath, ifAbsent: boolean): Promise<Sent | "kept"> {
  const { inner, ended } = core;
  const options = { signal: ended, ...(ifAbsent ? { ifAbsent } : {}) };
  try {
    return await (kind === "move" ? inner.move(calls.move(src, dst, options)) : inner.copy(calls.copy(src, dst, options)));
  } catch (error) {
    if (hasCode(error, "not-found")) return "missing";
    if (hasCode(error, "already-exists", "is-a-directory", "not-empty")) {
      const target = await core.remote.look(dst);
      if (target !== null) await putAside(core, dst, target);
      if (target?.kind === "file" && ifAbsent) return "kept";
      throw again(error);
    }
    if (hasCode(error, "not-a-directory") && (await clearParents(core, dst))) throw again(error);
    throw error;
  }
}

/** The way is free now: the next try comes after the pause of a failed one. */
function again(cause: unknown): StoreError {
  return new StoreError("conflict", "another client's file was put aside", { cause, applied: false });
}

/** What stands there was kept when this resolves, and a look ago nothing else had come: no service replaces only what was seen. */
async function putAside(core: Core, path: StorePath, theirs: Entry): Promise<void> {
  if (!core.rules.stepKeepsTarget) return;
  for (let found: Entry | null = theirs, last: StorePath | undefined, rounds = 0; found !== null; found = await core.remote.look(path)) {
    if (last !== undefined && conflictName(core, path, found) === last) return;
    if (rounds++ === MOST_PUT_ASIDE) throw again(undefined);
    const kept = found.kind === "directory" ? await moveTheirs(core, path, found) : await keepTheirs(core, path, found);
    core.group.record(() => noteConflict(core, path, kept, "another client's version stood at the target of a move or copy: it was kept under another name"));
    last = kept;
  }
}

async function removeSource(core: Core, src: StorePath, source: Entry): Promise<void> {
  const { remoteCan, inner, ended } = core;
  await inner.delete(calls.delete(src, { signal: ended, ...(source.etag !== null && remoteCan.deleteIfMatch !== false ? { ifMatch: source.etag } : {}) }));
}

async function wholeTree(core: Core, barrier: Barrier): Promise<"done" | "missing"> {
  const { kind, src, step } = barrier;
  const dst = barrier.dst as StorePath;
  const { inner, ended, remoteCan, rules } = core;
  const isNative = (kind === "move" ? remoteCan.moveTree : remoteCan.copyTree) === "native";
  if (isNative && (step === 0 || !rules.continuesByFile)) {
    const options = { signal: ended, ...(barrier.fresh === 1 && canBeFresh(core, kind) ? { ifAbsent: true } : {}) };
    try {
      await (kind === "move" ? inner.move(calls.move(src, dst, options)) : inner.copy(calls.copy(src, dst, options)));
      return "done";
    } catch (error) {
      if (hasCode(error, "not-found")) return "missing";
      if (hasCode(error, "not-a-directory") && (await clearParents(core, dst))) throw again(error);
      if (!rules.continuesByFile || !hasCode(error, "already-exists", "not-empty", "not-a-directory", "unsupported")) throw error;
      // Something stands at the target: file by file it is merged with, and nothing of it is overwritten.
    }
  }
  return byFile(core, barrier, dst);
}

/** One file after the other; what has arrived is seen as arrived, also after an error that says of its own request that nothing happened. */
async function byFile(core: Core, barrier: Barrier, dst: StorePath): Promise<"done" | "missing"> {
  const progress = { begun: false };
  try {
    return await fileByFile(core, barrier, dst, progress);
  } catch (error) {
    if (!progress.begun || !StoreError.is(error) || error.applied !== false || !core.rules.stepsAreBegun) throw error;
    throw error.with({ applied: "partly" });
  }
}

async function fileByFile(core: Core, { kind, src, step }: Barrier, dst: StorePath, progress: { begun: boolean }): Promise<"done" | "missing"> {
  const { remote, inner, ended, remoteCan } = core;
  const source = await remote.look(src);
  if (source === null) return step === 0 || kind === "copy" ? "missing" : "done";
  if (kind === "move" && !core.rules.continuesMove) await inner.delete(calls.delete(dst, { recursive: true, signal: ended }));
  if (source.kind === "file") return oneStep(core, kind, source, dst).then(() => "done" as const);
  const directories = [src];
  await makeDirectory(core, dst);
  progress.begun = true;
  for (let i = 0; i < directories.length; i++) {
    const dir = directories[i] as StorePath;
    for await (const child of remote.children(dir)) {
      const to = rebase(child.path, src, dst);
      if (child.kind === "directory") {
        directories.push(child.path);
        await makeDirectory(core, to);
      } else await oneStep(core, kind, await whole(core, child), to);
      core.step("barrier.step");
    }
  }
  if (kind === "copy") return "done";
  for (const dir of directories.toReversed()) {
    try {
      await inner.delete(calls.delete(dir, { signal: ended }));
    } catch (error) {
      if (hasCode(error, "not-found", "not-a-directory")) continue;
      // A file came in between; what it is worth is seen by the next round.
      if (hasCode(error, "not-empty"))
        throw new StoreError("conflict", "something new is in a directory that is being moved", { cause: error, applied: "partly" });
      throw error;
    }
  }
  return "done";

  async function makeDirectory(_core: Core, path: StorePath): Promise<void> {
    if (remoteCan.mkdir === false) return;
    try {
      await inner.mkdir(calls.mkdir(path, { existOk: true, signal: ended }));
    } catch (error) {
      if (!hasCode(error, "already-exists", "not-a-directory")) throw error;
      const found = await remote.look(path);
      if (found?.kind === "file") await moveTheirs(core, path, found);
      else if (!(await clearParents(core, path))) throw error;
      await inner.mkdir(calls.mkdir(path, { existOk: true, signal: ended }));
    }
  }
}

/** Listings may say less than a look. */
async function whole(core: Core, child: Entry): Promise<Entry> {
  return core.remoteCan.hashes.length > 0 && Object.keys(child.hashes).length === 0 ? ((await core.remote.look(child.path)) ?? child) : child;
}

async function oneStep(core: Core, kind: Barrier["kind"], source: Entry, to: StorePath): Promise<void> {
  const target = await core.remote.look(to);
  if (target !== null) {
    const same = target.kind === "file" && (await isSame(core, source, target));
    if (same && saysSame(source, target)) {
      if (kind === "move") await removeSource(core, source.path, source);
      return;
    }
    if (!same) await putAside(core, to, target);
  }
  // What was put aside still stands at its path, where it was copied: this replaces it.
  const ifAbsent = target === null && canBeFresh(core, kind);
  if ((await transferOne(core, kind, source.path, to, ifAbsent)) === "kept") await transferOne(core, kind, source.path, to, false);
}

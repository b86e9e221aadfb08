/** `read`: from the content here where it is right, else from the remote, kept on the way. */
import { StoreError, hasCode } from "../../store/index.ts";
import type { Entry, ReadCall, ReadReply, StorePath } from "../../store/index.ts";
import { liesBeside } from "./beside.ts";
import { Torn, openContent, partOf } from "./content-reader.ts";
import type { Core } from "./core.ts";
import { entryOf, etagOf, withLocalEtag } from "./entries.ts";
import { fillFrom } from "./fill.ts";
import { orGone } from "./gave-up.ts";
import { hasFlight } from "./journal-changes.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";
import { isFresh, isSoft, learn, mayServeStale, notFound } from "./learn.ts";
import { askedAt, statRemote } from "./stat-remote.ts";

export async function read(core: Core, call: ReadCall): Promise<ReadReply> {
  const { path, signal } = call;
  /** The row that was just compared with the remote: its generation. */
  let right: number | undefined;
  for (;;) {
    const { known, node, moved } = core.tree.look(path);
    if (known === ABSENT && !liesBeside(core, path)) throw notFound();
    if (node?.kind === DIRECTORY && (node.dirty === 1 || node.id === 1 || (isFresh(core, node) && !call.fresh))) throw isADirectory();
    if (node?.kind !== FILE) return fromRemote(core, call);
    if (node.content === null && (node.gen === right || !mustLearnEtag(core, node, moved, call))) return fromRemote(core, call);
    if (node.content !== null && (node.gen === right || !mustAsk(core, node, call))) {
      const reply = await serve(core, call, node, isSoft(core, node, moved));
      if (reply === "torn") continue;
      core.counts.hits++;
      return reply;
    }
    try {
      if ((await orGone(revalidate(core, path, call.fresh), signal)) === "same") {
        core.counts.revalidated++;
        right = core.tree.at(path)?.gen;
      }
    } catch (error) {
      if (!mayServeStale(core, node, error)) throw error;
      right = node.gen;
    }
  }
}

function isADirectory(): StoreError {
  return new StoreError("is-a-directory", "a directory has no bytes");
}

/** What is pending here wins; the rest is asked for when it is old, or when somebody else's etag is the question. */
function mustAsk(core: Core, node: NodeRow, { fresh, ifMatch, ifNoneMatch }: ReadCall): boolean {
  if (node.dirty === 1 || hasFlight(core, node)) return false;
  return fresh || ifMatch !== undefined || ifNoneMatch !== undefined || !isFresh(core, node);
}

/** A condition names an etag of ours, and the remote's of the same bytes is not known: the file came to its place by a copy or a move. */
function mustLearnEtag(core: Core, node: NodeRow, moved: number, { ifMatch, ifNoneMatch }: ReadCall): boolean {
  const own = etagOf(node, core.remoteCan);
  return node.dirty === 0 && own !== null && (ifMatch === own || ifNoneMatch === own) && isSoft(core, node, moved);
}

/** One question for all who wait. */
function revalidate(core: Core, path: StorePath, fresh: boolean): Promise<"same" | "changed" | "again"> {
  const key = `${fresh ? "fresh" : "any"} ${path}`;
  let asked = core.revalidations.get(key);
  if (asked === undefined) {
    asked = (async () => {
      const before = core.tree.at(path);
      if (before === undefined || before.dirty === 1) return "again";
      const watch = core.watches.watch(path);
      try {
        // Expired here: an answer that is as old elsewhere would not say more.
        const found = await statRemote(core, path, { fresh: true });
        return watch.touched ? "again" : await learn(core, before, found, path);
      } finally {
        core.watches.end(watch);
      }
    })().finally(() => core.revalidations.delete(key));
    core.revalidations.set(key, asked);
  }
  return asked;
}

async function serve(core: Core, call: ReadCall, node: NodeRow, soft: boolean): Promise<ReadReply | "torn"> {
  const { path, ifMatch, ifNoneMatch } = call;
  const entry = entryOf(core, node, path);
  const names = (etag: string): boolean => etag === etagOf(node, core.remoteCan) || (node.dirty === 0 && !soft && etag === node.base_etag);
  if (ifMatch !== undefined && !names(ifMatch)) throw new StoreError("precondition-failed", "the file has another etag", { entry });
  if (ifNoneMatch !== undefined && names(ifNoneMatch)) throw new StoreError("not-modified", "the file still has this etag", { entry });
  const part = partOf(node.size ?? 0, call.range, entry);
  const content = node.content as number;
  try {
    const body = await openContent(core, content, part);
    core.content.noteRead(content, core.clock.now());
    return { entry, offset: part.offset, body };
  } catch (error) {
    if (!(error instanceof Torn)) throw error;
    torn(core, node, path, error);
    return "torn";
  }
}

/** Clean: it is dropped and read from the remote. Pending: nothing else has these bytes, so the file waits for a person. */
function torn(core: Core, before: NodeRow, path: StorePath, error: Torn): void {
  core.group.record(() => {
    const node = core.tree.row(before.id);
    if (node === undefined || node.content !== error.content) return;
    if (node.dirty === 0) {
      core.content.unref(node.content);
      core.tree.update(node, { content: null, checked: null });
    } else core.tree.update(node, { due: null, error: JSON.stringify({ code: "corrupt", reason: "its bytes in the cache are damaged" }) });
    core.journal.after(() => core.events.tell("torn", path));
  });
  if (before.dirty === 1 && core.tree.row(before.id)?.content === error.content)
    throw new StoreError("corrupt", "the bytes of this file in the cache are damaged, and it was not uploaded yet", { cause: error });
}

async function fromRemote(core: Core, call: ReadCall): Promise<ReadReply> {
  const { path } = call;
  const node = core.tree.at(path);
  const places = core.barriers.translate(path);
  for (const place of places) {
    if (place === null) continue;
    const watch = core.watches.watch(path);
    let reply: ReadReply;
    try {
      reply = await core.inner.read({
        ...call,
        ...conditions(core, call, node),
        path: place,
        fresh: call.fresh || (node !== undefined && !isFresh(core, node)),
      });
    } catch (error) {
      core.watches.end(watch);
      if (hasCode(error, "not-found") && place !== places.at(-1)) continue;
      if (hasCode(error, "not-found", "is-a-directory") && node !== undefined) await learnOf(core, path);
      throw error;
    }
    core.counts.misses++;
    const entry: Entry = place === path ? reply.entry : askedAt(core, { ...reply.entry, path });
    const seen = node === undefined ? entry : withLocalEtag(core, node, entry);
    const whole = call.range === undefined || !core.rules.fillNeedsWholeBody;
    if (whole && place === path && places.length === 1) fillFrom(core, watch, entry, reply.body);
    else {
      core.watches.end(watch);
      if (call.range !== undefined && core.settings().fillOnRange && place === path && places.length === 1) core.background(() => fetchWhole(core, path));
    }
    return { ...reply, entry: seen };
  }
  throw notFound();
}

/** An etag of ours, of bytes that have left since, is the remote's of the same bytes there. */
function conditions(core: Core, { ifMatch, ifNoneMatch }: ReadCall, node: NodeRow | undefined): Pick<ReadCall, "ifMatch" | "ifNoneMatch"> {
  const own = node === undefined || node.base_etag === null ? undefined : etagOf(node, core.remoteCan);
  const there = (etag: string | undefined): string | undefined => (etag !== undefined && etag === own ? (node?.base_etag ?? etag) : etag);
  return { ifMatch: there(ifMatch), ifNoneMatch: there(ifNoneMatch) };
}

/** A row that the remote has just proved wrong. */
async function learnOf(core: Core, path: StorePath): Promise<void> {
  const node = core.tree.at(path);
  if (node !== undefined && node.dirty === 0) await learn(core, node, await statRemote(core, path, { fresh: true }), path);
}

async function fetchWhole(core: Core, path: StorePath): Promise<void> {
  const reply = await read(core, { operation: "read", path, signal: core.ended, fresh: false, range: undefined, ifMatch: undefined, ifNoneMatch: undefined });
  await using body = reply.body;
  while ((await body.pull()) !== undefined);
}

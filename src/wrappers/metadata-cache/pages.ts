/** The pages of a listing on their way to the caller: brought up to date with own changes, and completed where the service lists late. */
import { StoreError, byCodePoint, calls, hasCode, isInside, join, nameOf, parentOf } from "../../store/index.ts";
import type { Backend, Entry, ListCall, StorePath } from "../../store/index.ts";
import { entryOf } from "./fact.ts";
import type { Fact } from "./fact.ts";
import type { Asked, MetadataMemory } from "./memory.ts";

/** One page of a listing that is not at its end: immutable, and the cursor that the caller gets. */
export interface Place {
  /** The cursor of the service. */
  readonly inner: unknown;
  readonly before: Place | undefined;
  /** When the first page was asked for. */
  readonly first: Asked;
  readonly facts: readonly Told[];
  /** Facts of this page and those before it. */
  readonly count: number;
  /** Something is missing: too many for this memory, or a name that has no key. */
  readonly gap: boolean;
  /** The path that was given last. */
  readonly last: StorePath | undefined;
  /** Of the listing. */
  readonly etag: string | null;
  /** How the service writes the directory. */
  readonly shown: StorePath | undefined;
}
export interface Told {
  readonly key: StorePath;
  readonly fact: Fact;
}
/** A page as the service gave it, and where in its listing it stands. */
export interface Came {
  readonly call: ListCall;
  readonly key: StorePath;
  readonly place: Place | undefined;
  readonly entries: readonly Entry[];
  readonly asked: Asked;
  readonly isLast: boolean;
}

/**
 * Names that an own change touched while the page was on its way are told as they are now: the caller who asked before the change ended may see it, and one who
 * joined may have asked after.
 */
export function upToDate(memory: MetadataMemory, came: Came): readonly Entry[] {
  const { call, key, entries, asked } = came;
  if (!memory.naming.exact || !memory.rules.patchesPages()) return entries;
  const touched = memory.disturbed(key, call.recursive, asked.since);
  if (touched.size === 0) return entries;
  const now = new Map<StorePath, Entry | undefined>();
  for (const path of touched) {
    const known = memory.look(path);
    if (known === null) now.set(path, undefined);
    else if (known !== undefined && memory.rules.suffices(known, "basic")) now.set(path, entryOf(known, path));
  }
  if (now.size === 0) return entries;
  const kept: Entry[] = [];
  for (const entry of entries) {
    const known = now.get(entry.path);
    // Of two that stand side by side the other one stays as it was told.
    if (!now.has(entry.path) || (known !== undefined && known.kind !== entry.kind)) kept.push(entry);
    else if (known !== undefined) kept.push(known);
  }
  return withMore(
    memory,
    came,
    kept,
    [...now.values()].filter((one) => one !== undefined),
  );
}

/** What was made here is in it, what was deleted here is not; what is in doubt is asked for. */
export async function completed(memory: MetadataMemory, inner: Backend, came: Came): Promise<readonly Entry[]> {
  const { call, key, entries, isLast } = came;
  const { own, rules } = memory;
  // What was sure to be listed when the answer came may not have been when it was asked for.
  const then = came.asked.at;
  if (own === undefined || own.size === 0) return entries;
  let kept = entries;
  if (rules.removesOwn()) {
    if (own.deleted(key, then)) throw new StoreError("not-found", "this directory was deleted a moment ago");
    if (entries.some(({ path }) => isGone(memory, path, then))) kept = entries.filter(({ path }) => !isGone(memory, path, then));
  }
  const made = rules.addsOwn() ? own.made(key, call.recursive, then) : [];
  if (made.length === 0) return kept;
  const told = new Map(kept.map((entry) => [memory.naming.key(entry.path), entry]));
  const missing: Entry[] = [];
  for (const { path, fact } of made) {
    const there = told.get(path);
    if (there === undefined ? !isLast : fact !== null && isOf(there, fact)) continue;
    const shown = there?.path ?? spelled(memory, came, path);
    // What it lists instead is the version before, or already the next one: single answers know.
    const asks = fact === null || fact.thin || (there !== undefined && memory.capabilities.consistency.read === "strong");
    const found = asks ? await look(inner, shown, call, fact) : entryOf(fact, shown);
    if (there !== undefined) kept = kept.flatMap((entry) => (entry !== there ? [entry] : found === undefined ? [] : [found]));
    else if (found !== undefined) missing.push(found);
  }
  return withMore(memory, came, kept, missing);
}

/** Does a listing tell what our change made? */
function isOf(listed: Entry, fact: Fact): boolean {
  if (listed.kind !== fact.kind || listed.kind === "directory") return listed.kind === fact.kind;
  if (listed.etag !== null && fact.etag !== null) return listed.etag === fact.etag;
  return !fact.thin && listed.size === fact.size && listed.modifiedMs === fact.modifiedMs;
}

/** The path of a key below the directory that is listed: as the listing wrote it, else as our change did. */
function spelled(memory: MetadataMemory, came: Came, at: StorePath): StorePath {
  if (memory.naming.exact) return at;
  if (at === came.key) return came.call.path;
  const told = came.entries.find(({ path }) => memory.naming.key(path) === at);
  if (told !== undefined) return told.path;
  const fact = toldBefore(came, at) ?? memory.own?.get(at, came.asked.at) ?? memory.look(at);
  return join(spelled(memory, came, parentOf(at)), fact?.extra?.spelling ?? nameOf(at));
}

function toldBefore({ place }: Came, at: StorePath): Fact | undefined {
  for (let one = place; one !== undefined; one = one.before) {
    const told = one.facts.find(({ key }) => key === at);
    if (told !== undefined) return told.fact;
  }
  return undefined;
}

/** Was the directory that the service does not list yet made here a moment ago? */
export async function wasMade(memory: MetadataMemory, inner: Backend, call: ListCall, key: StorePath, { at }: Asked): Promise<boolean> {
  const own = memory.rules.addsOwn() ? memory.own?.get(key, at) : undefined;
  if (own === undefined) return false;
  return own === null ? (await look(inner, call.path, call, null))?.kind === "directory" : own.isDirectory;
}

function isGone(memory: MetadataMemory, path: StorePath, then: number): boolean {
  const key = memory.naming.key(path);
  return key !== undefined && memory.own?.deleted(key, then) === true;
}

/** The reply of the change told too little for a listing, or never came. */
async function look(inner: Backend, path: StorePath, { signal }: ListCall, fact: Fact | null): Promise<Entry | undefined> {
  try {
    return await inner.stat(calls.stat(path, { detail: "basic", fresh: true, signal }));
  } catch (error) {
    if (!hasCode(error, "not-found")) throw error;
    // Somebody deleted it since, or the service's reads are late as well: then what the change told is the best there is.
    return fact !== null && inner.capabilities.consistency.read === "eventual" ? entryOf(fact, path) : undefined;
  }
}

/** Adds what is in no page yet: on the last page, and only in its order. */
function withMore(memory: MetadataMemory, came: Came, kept: readonly Entry[], more: readonly Entry[]): readonly Entry[] {
  const { place, call, isLast } = came;
  if (!isLast || more.length === 0 || (place?.gap ?? false)) return kept;
  const { listSorted } = memory.capabilities;
  const label = ({ kind, path }: Entry): string => `${kind} ${memory.naming.key(path) ?? path}`;
  const given = new Set<string>(kept.map(label));
  for (let one = place; one !== undefined; one = one.before) for (const { key, fact } of one.facts) given.add(`${fact.kind} ${key}`);
  const added = more.filter((entry) => {
    if (given.has(label(entry)) || !(call.recursive ? isInside(entry.path, call.path) : parentOf(entry.path) === call.path)) return false;
    return !listSorted || place?.last === undefined || byCodePoint(entry.path, place.last) > 0;
  });
  if (added.length === 0) return kept;
  const all = [...kept, ...added];
  return listSorted ? all.sort((a, b) => byCodePoint(a.path, b.path)) : all;
}

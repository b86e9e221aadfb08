/**
 * The control group: stores that are strange, and right by what they declare. Every check must pass on each of them, or be the proof of a refusal;
 * one that fails tests something that the contract does not say.
 */
import { StoreError, createStore } from "../../store/index.ts";
import type { Capabilities, Page, Provider } from "../../store/index.ts";
import { ModelState, referenceProvider } from "../model/reference.ts";
import type { ReferenceOptions } from "../model/reference.ts";
import type { Place, Subject } from "../subject.ts";
import { wireSubject } from "./wire.ts";

export interface LegalStore {
  /** "L03". */
  readonly id: string;
  readonly strange: string;
  subject(): Subject;
}

type Bend = (provider: Provider & { readonly kind: "reference" }) => Partial<Provider>;

/** A subject of reference stores: one state per place, so that further connections and reopened ones see the same service. */
function subjectOf(name: string, options: Omit<ReferenceOptions, "state" | "clock">, bend: Bend = () => ({})): Subject {
  const states = new Map<string, ModelState>();
  return {
    name,
    // It lives in this process: checks allow it the memory for its files.
    reopens: false,
    open(place: Place) {
      let state = states.get(place.id);
      if (state === undefined) states.set(place.id, (state = new ModelState()));
      const provider = referenceProvider({ ...options, state, clock: place.clock });
      return createStore({ ...provider, ...bend(provider) });
    },
    unavailable: () => createStore(unreachable()),
  };
}

/** What the suite looks at when it asks for a store of which nothing can be reached. */
function unreachable(): Provider & { readonly kind: "reference" } {
  const down = (): never => {
    throw Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
  };
  return {
    ...referenceProvider(),
    stat: down,
    read: down,
    write: down,
    list: down,
    delete: down,
    mkdir: down,
    copy: down,
    move: down,
    space: down,
    account: down,
    translate: (error) => (StoreError.is(error) ? undefined : new StoreError("unavailable", "the service cannot be reached", { cause: error, applied: false })),
  };
}

const flat: Partial<Capabilities> = { directories: "implied", strictHierarchy: false, modifiedPrecisionMs: 1000 };
/** No conditions, no trees, nothing beyond what any file server has. */
const plain: Partial<Capabilities> = {
  readIfMatch: false,
  readIfNoneMatch: false,
  writeIfAbsent: false,
  writeIfMatch: false,
  listIfNoneMatch: false,
  deleteIfMatch: false,
  copyIfAbsent: false,
  moveIfAbsent: false,
  etag: false,
  hashes: [],
  writeExpect: [],
};

const refusedWrites: Partial<Capabilities> = {
  write: false,
  delete: false,
  mkdir: false,
  copy: false,
  move: false,
  writeIfAbsent: false,
  writeIfMatch: false,
  writeUnknownSize: false,
  writeModified: false,
  writeContentType: false,
  writeMetadata: false,
  deleteRecursive: false,
  deleteIfMatch: false,
  copyTree: false,
  copyIfAbsent: false,
  moveTree: false,
  moveIfAbsent: false,
  writeExpect: [],
  exclusiveMkdir: false,
  maxMetadataBytes: 0,
};

/** Backwards by name, and by the last letter first, in turns: no order that a caller could come to rely on, but a directory before what it holds. */
let turn = 0;
function shuffled(page: Page): Page {
  turn += 1;
  const by = turn % 2 === 0 ? (path: string): string => path : (path: string): string => Array.from(path).reverse().join("");
  const depth = (path: string): number => path.split("/").length;
  return { ...page, entries: page.entries.toSorted((left, right) => depth(left.path) - depth(right.path) || (by(left.path) < by(right.path) ? 1 : -1)) };
}

const legal = (id: string, strange: string, options: Omit<ReferenceOptions, "state" | "clock">, bend?: Bend): LegalStore => ({
  id,
  strange,
  subject: () => subjectOf(`legal ${id}`, options, bend),
});

export const legalStores: readonly LegalStore[] = [
  legal("L01", "everything native, nothing strange", {}),
  legal("L02", "listings in no order, and in another one each time", { capabilities: { listSorted: false } }, (provider) => ({
    list: async (call) => shuffled(await provider.list(call)),
  })),
  legal("L03", "one entry per page, and an empty page with a cursor before each", { pageSize: 1, emptyPages: true, capabilities: { listSorted: true } }),
  legal("L04", "bodies that come in pieces of one byte", { chunkBytes: 1 }),
  legal("L05", "every call takes 20 ms", { latencyMs: 20 }),
  legal("L06", "listings show changes 150 ms late, as declared", {
    capabilities: { consistency: { read: "strong", list: "eventual", settleMs: 150 }, listIfNoneMatch: false },
  }),
  legal("L07", "listings and reads show changes 100 ms late, as declared", {
    capabilities: { consistency: { read: "eventual", list: "eventual", settleMs: 100 }, listIfNoneMatch: false, emptyOnlyDelete: "native" },
  }),
  legal("L08", "case of names is folded; the first spelling stays", { capabilities: { caseSensitive: false } }),
  legal("L09", "names are kept in NFC, and found in any form", { capabilities: { normalisation: "nfc" } }),
  legal("L10", "names are kept in NFKC, case is folded", { capabilities: { normalisation: "nfkc", caseSensitive: false } }),
  legal("L11", "a flat key store: implied directories, a file and a directory of one name", { capabilities: flat }),
  legal("L12", "implied directories, but strict names", { capabilities: { directories: "implied" } }),
  legal("L13", "five verbs, and nothing else declared", { declare: "little" }),
  legal("L14", "five verbs and mkdir: trees are copied and moved by hand", {
    declare: "little",
    capabilities: { mkdir: "native", directories: "real", emptyOnlyDelete: "native", etag: true },
  }),
  legal("L15", "no etag, no conditions, no hashes", { capabilities: plain }),
  legal("L16", "read only", { capabilities: refusedWrites }),
  legal("L17", "no files at the root", { capabilities: { filesAtRoot: false } }),
  legal("L18", "short names, short paths, small files, some characters refused", {
    capabilities: {
      maxNameBytes: 60,
      maxPathBytes: 300,
      maxFileBytes: 1_500_000,
      maxUnknownBytes: 1_000_000,
      maxConditionalBytes: 500_000,
      forbidden: ':*?"<>|\\',
    },
  }),
  legal("L19", "answers to changes tell next to nothing", { sparse: true, capabilities: { listComplete: false } }),
  legal("L20", "times of two seconds, and metadata that cannot be kept", {
    capabilities: { modifiedPrecisionMs: 2000, writeMetadata: false, maxMetadataBytes: 0, writeContentType: false, writeModified: false },
  }),
  legal("L21", "no times at all", { capabilities: { modifiedPrecisionMs: null, writeModified: false } }),
  legal("L22", "no copy, no move, no ranges of its own: all by hand", {
    capabilities: {
      copy: "emulated",
      move: "emulated",
      copyTree: "emulated",
      moveTree: "emulated",
      copyIfAbsent: false,
      moveIfAbsent: false,
      readRange: "emulated",
      readSuffix: "emulated",
      readIfMatch: "emulated",
      readIfNoneMatch: "emulated",
      writeUnknownSize: "emulated",
      listRecursive: "emulated",
      deleteRecursive: "emulated",
      listSorted: false,
    },
  }),
  { id: "L23", strange: "a tiny service over HTTP, through the proxy", subject: () => wireSubject() },
  legal("L24", "a flat key store whose etags tell the bytes: the same bytes written again have the same etag", { contentEtags: true, capabilities: flat }),
];

/** The remote as the layer asks it on its own account: looks, comparisons, and the conditions it knows. */
import { calls, hasCode } from "../../store/index.ts";
import type { Backend, Capabilities, Entry, Hashes, StorePath } from "../../store/index.ts";
import { crcOf } from "./content.ts";
import type { NodeRow } from "./rows.ts";
import type { Rules } from "./rules.ts";
import type { StepName } from "./steps.ts";

export interface RemoteOptions {
  readonly inner: Backend;
  readonly rules: Rules;
  readonly step: (name: StepName) => void;
  readonly ended: AbortSignal;
}

export class Remote {
  readonly inner: Backend;
  readonly can: Capabilities;
  readonly #rules: Rules;
  readonly #step: (name: StepName) => void;
  /** The end of the layer: no work of its own goes on after it. */
  readonly signal: AbortSignal;

  constructor({ inner, rules, step, ended }: RemoteOptions) {
    this.inner = inner;
    this.can = inner.capabilities;
    this.#rules = rules;
    this.#step = step;
    this.signal = ended;
  }

  /** What is there, null: nothing. Other errors are passed on. */
  async stat(
    path: StorePath,
    options: { readonly fresh?: boolean; readonly detail?: "basic" | "full"; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Entry | null> {
    const { fresh = false, detail = "basic", signal = this.signal } = options;
    try {
      return await this.inner.stat(calls.stat(path, { fresh, detail, signal }));
    } catch (error) {
      // Below a file there is nothing either.
      if (hasCode(error, "not-found", "not-a-directory")) return null;
      throw error;
    }
  }

  /** Decides about bytes: never from a cache below. */
  async look(path: StorePath): Promise<Entry | null> {
    const found = await this.stat(path, { fresh: this.#rules.looksAreFresh, detail: this.can.hashes.length > 0 ? "full" : "basic" });
    this.#step("look.answered");
    return found;
  }

  /** Everything in a directory, in pages; nothing where it is missing. */
  async *children(dir: StorePath, signal: AbortSignal = this.signal): AsyncGenerator<Entry, void, undefined> {
    let cursor: unknown;
    do {
      let page: Awaited<ReturnType<Backend["list"]>>;
      try {
        page = await this.inner.list(calls.list(dir, { cursor, fresh: true, signal }));
      } catch (error) {
        if (cursor === undefined && hasCode(error, "not-found", "not-a-directory")) return;
        throw error;
      }
      yield* page.entries;
      cursor = page.cursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** Is what is there now what was there when the base was learnt? `soft`: its etag may have changed since, the bytes not. */
  async isBase(node: NodeRow, found: Entry, soft: boolean, compareMaxBytes: number): Promise<boolean> {
    if (found.kind !== "file") return false;
    const { base_etag: etag, base_size: size, base_modified: modified, base_hashes: hashes, base_crc: crc } = node;
    if (etag !== null && found.etag !== null && (etag === found.etag || !soft)) return etag === found.etag;
    if (size !== null && found.size !== null && size !== found.size) return false;
    // Where there are no etags the time of a change is all that is told without reading the file.
    if (!soft && !this.can.etag && modified !== null && found.modifiedMs !== null) return modified === found.modifiedMs;
    const same = hashes === null ? undefined : sameHashes(JSON.parse(hashes) as Hashes, found.hashes);
    if (same !== undefined) return same;
    if (crc !== null && found.size !== null && found.size <= compareMaxBytes) return (await this.crc(found)) === crc;
    return modified !== null && modified === found.modifiedMs && (size === null || size === found.size);
  }

  /** Are these the bytes that are meant? Etags say nothing: those of another place. Undefined: nothing tells. */
  async hasBytes({ base_size: size, base_hashes: hashes, base_crc: crc }: Bytes, found: Entry, compareMaxBytes: number): Promise<boolean | undefined> {
    if (found.kind !== "file" || (size !== null && found.size !== null && size !== found.size)) return false;
    const same = hashes === null ? undefined : sameHashes(JSON.parse(hashes) as Hashes, found.hashes);
    if (same !== undefined || crc === null || found.size === null || found.size > compareMaxBytes) return same;
    const read = await this.crc(found);
    return read === undefined ? undefined : read === crc;
  }

  /** Undefined: it changed or went while it was read. */
  async crc(found: Entry): Promise<number | undefined> {
    let crc = 0;
    let bytes = 0;
    try {
      const { body } = await this.inner.read(calls.read(found.path, { signal: this.signal, fresh: true }));
      await using stream = body;
      for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) {
        crc = crcOf(chunk, crc);
        bytes += chunk.byteLength;
      }
    } catch (error) {
      if (hasCode(error, "not-found", "is-a-directory", "conflict", "precondition-failed")) return undefined;
      throw error;
    }
    if (found.size !== null && bytes !== found.size) return undefined;
    return crc;
  }

  /** Reads a whole file and compares it with bytes that come piece by piece. */
  async sameBytes(found: Entry, pull: (at: number, length: number) => Promise<Uint8Array | undefined>): Promise<boolean> {
    let at = 0;
    try {
      const { body } = await this.inner.read(calls.read(found.path, { signal: this.signal, fresh: true }));
      await using stream = body;
      for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) {
        const ours = await pull(at, chunk.byteLength);
        if (ours === undefined || Buffer.compare(ours, chunk) !== 0) return false;
        at += chunk.byteLength;
      }
    } catch (error) {
      if (hasCode(error, "not-found", "is-a-directory", "conflict", "precondition-failed")) return false;
      throw error;
    }
    return found.size === null || at === found.size;
  }
}

/** Undefined: no hash in common, nothing is said. */
export function sameHashes(a: Hashes, b: Hashes): boolean | undefined {
  let said: boolean | undefined;
  for (const [name, value] of Object.entries(a)) {
    const other = b[name as keyof Hashes];
    if (other === undefined || value === undefined) continue;
    if (other !== value) return false;
    said = true;
  }
  return said;
}

/** What a base is made of. */
export type Base = Pick<NodeRow, "base_kind" | "base_etag" | "base_size" | "base_modified" | "base_hashes" | "base_crc" | "base_id" | "base_gen">;

/** What tells its bytes, wherever they lie. */
export type Bytes = Pick<Base, "base_size" | "base_hashes" | "base_crc">;

export function baseOf(found: Entry, gen: number, crc: number | null = null): Base {
  return {
    base_kind: found.kind === "file" ? 1 : 2,
    base_etag: found.etag,
    base_size: found.size,
    base_modified: found.modifiedMs,
    base_hashes: Object.keys(found.hashes).length === 0 ? null : JSON.stringify(found.hashes),
    base_crc: crc,
    base_id: found.id,
    base_gen: gen,
  };
}

/** The same where it is moved or copied to: the remote will say the same of the bytes, and another etag. */
export function baseElsewhere(found: Entry, gen: number): Base {
  return { ...baseOf(found, gen), base_etag: null, base_id: null };
}

export function noBase(kind: 0 | 1 | null, gen: number): Base {
  return { base_kind: kind, base_etag: null, base_size: null, base_modified: null, base_hashes: null, base_crc: null, base_id: null, base_gen: gen };
}

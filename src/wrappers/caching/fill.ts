/** Downloads kept on the way to their reader. Nothing is promised of them: they are not flushed, and their CRC tells after a power loss. */
import { mkdir, open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { nameOf } from "../../store/index.ts";
import type { ByteStream, Entry } from "../../store/index.ts";
import { crcOf } from "./content.ts";
import type { Core } from "./core.ts";
import { evictIfNeeded } from "./evict.ts";
import { makeParents } from "./journal-changes.ts";
import { baseOf } from "./remote.ts";
import { FILE } from "./rows.ts";
import { shownOf } from "./learn.ts";
import type { Watch } from "./watches.ts";

/** Whatever happens to the fill, the read goes on. The watch ends with it. */
export function fillFrom(core: Core, watch: Watch, entry: Entry, body: ByteStream): void {
  const { path } = entry;
  const limit = Math.min(core.settings().fillBytes, core.settings().cacheBytes / 4);
  if ((entry.size ?? 0) > limit || core.barriers.touches(path) || core.filling.has(path)) return core.watches.end(watch);
  core.filling.add(path);
  const fill = new Fill(core, entry, limit);
  body.observe({
    chunk: (bytes) => fill.add(bytes),
    end: ({ complete }) => {
      core.background(async () => {
        try {
          if (complete || !core.rules.fillNeedsWholeBody) await fill.keep(watch);
          else await fill.drop();
        } finally {
          core.watches.end(watch);
          core.filling.delete(path);
        }
      });
    },
  });
}

class Fill {
  readonly #core: Core;
  readonly #entry: Entry;
  readonly #limit: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #file: FileHandle | undefined;
  readonly #number: number;
  readonly #path: string;
  #size = 0;
  #crc = 0;
  #dropped = false;

  constructor(core: Core, entry: Entry, limit: number) {
    this.#core = core;
    this.#entry = entry;
    this.#limit = limit;
    this.#number = core.content.newId(core.numbers);
    this.#path = join(core.directory, "fill", String(this.#number));
  }

  /** Holds the reader back until it is written, so nothing is read ahead of the slower of the two. */
  add(bytes: Uint8Array): void | Promise<void> {
    if (this.#dropped) return;
    this.#size += bytes.byteLength;
    if (this.#size > this.#limit) return this.drop();
    this.#crc = crcOf(bytes, this.#crc);
    if (this.#file === undefined && this.#size <= this.#core.settings().inlineBytes) {
      this.#held.push(new Uint8Array(bytes));
      this.#heldBytes += bytes.byteLength;
      return;
    }
    return this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      if (this.#file === undefined) {
        this.#file = await open(this.#path, "wx", 0o600);
        for (const held of this.#held) await this.#file.appendFile(held);
        this.#held = [];
      }
      await this.#file.appendFile(bytes);
      if (this.#size >= (this.#entry.size ?? 0) / 2) this.#core.step("fill.half");
    } catch {
      // A full or broken disk here is no reason to fail the read.
      await this.drop();
    }
  }

  async drop(): Promise<void> {
    this.#dropped = true;
    this.#held = [];
    if (this.#file === undefined) return;
    await this.#file.close().catch(() => {});
    this.#file = undefined;
    await unlink(this.#path).catch(() => {});
  }

  async keep(watch: Watch): Promise<void> {
    const { size } = this.#entry;
    if (this.#dropped || (size !== null && size !== this.#size && this.#core.rules.fillNeedsWholeBody) || !this.#mayKeep(watch)) return this.drop();
    const core = this.#core;
    const { content } = core;
    const id = this.#number;
    try {
      if (this.#file !== undefined) {
        await this.#file.close();
        this.#file = undefined;
        const path = content.path(id);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await rename(this.#path, path);
        core.step("fill.renamed");
        if (!this.#commit(watch, id, null)) await content.unlink([id]);
      } else this.#commit(watch, id, Buffer.concat(this.#held, this.#heldBytes));
    } catch {
      this.#file = undefined;
      await unlink(this.#path).catch(() => {});
      return;
    }
    core.step("fill.committed");
    evictIfNeeded(core);
  }

  #mayKeep(watch: Watch): boolean {
    const { path } = this.#entry;
    if (!this.#core.rules.fillChecksPath) return true;
    const { known, node } = this.#core.tree.look(path);
    if (watch.touched || this.#core.barriers.touches(path)) return false;
    return known === undefined || (node?.kind === FILE && node.dirty === 0 && node.content === null);
  }

  #commit(watch: Watch, id: number, data: Uint8Array | null): boolean {
    const core = this.#core;
    const entry = this.#entry;
    return core.group.record(() => {
      if (!this.#mayKeep(watch)) return false;
      const now = core.clock.now();
      core.content.add({ id, size: this.#size, crc: this.#crc, hashes: entry.hashes, data, directories: [] }, Math.floor(now / 1000));
      const facts = {
        kind: FILE,
        dirty: 0,
        content: id,
        local: 0,
        checked: now,
        ...shownOf(entry),
        size: this.#size,
        ...baseOf(entry, core.numbers.next(), this.#crc),
      } as const;
      const there = core.tree.at(entry.path);
      if (there !== undefined) {
        core.content.unref(there.content);
        // The bytes that were written here come back: still the same version.
        const same = there.local === 1 && entry.etag !== null && there.base_etag === entry.etag;
        core.tree.update(there, { since: null, due: null, ...facts, ...(same ? { local: 1 } : { gen: core.numbers.next() }) });
      } else {
        const parent = makeParents(core, entry.path, () => undefined, true);
        core.tree.insert({ id: core.numbers.row(), parent, name: nameOf(entry.path), gen: core.numbers.next(), ...facts });
      }
      core.counts.bytesFilled += this.#size;
      return true;
    });
  }
}

/** The caching store: every operation, by mode and by its conditions, handed to where it is done. */
import { StoreError, calls, identityOf } from "../../store/index.ts";
import type {
  Account,
  AccountCall,
  Backend,
  Call,
  Capabilities,
  CopyCall,
  DeleteCall,
  Entry,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  ReadCall,
  ReadReply,
  Space,
  SpaceCall,
  StatCall,
  Store,
  WriteCall,
} from "../../store/index.ts";
import { liesBeside } from "./beside.ts";
import { capabilitiesOver } from "./capabilities.ts";
import type { Core, Setup } from "./core.ts";
import { makeDirectory, remove } from "./delete.ts";
import { flush } from "./flush.ts";
import { list } from "./listing.ts";
import { openCache } from "./open.ts";
import type { Opened } from "./open.ts";
import { read } from "./read.ts";
import { SpaceMemory } from "./space.ts";
import { deleteNow, makeDirectoryNow, transferNow, writeNow } from "./sync-calls.ts";
import { transfer } from "./transfer.ts";
import { stat } from "./view.ts";
import { write } from "./write.ts";

/** How long `close` waits for running uploads where it does not wait for all. */
const LAST_UPLOADS_MS = 5000;

export class CachingBackend implements Backend {
  readonly capabilities: Capabilities;
  readonly #setup: Setup;
  readonly #store: Store;
  readonly #reserveBytes: number;
  #opened: Opened | undefined;
  #space: SpaceMemory | undefined;

  constructor(setup: Setup, store: Store, reserveBytes: number) {
    this.#setup = setup;
    this.#store = store;
    this.#reserveBytes = reserveBytes;
    this.capabilities = capabilitiesOver(setup.remoteCan, setup.settings());
  }

  get opened(): Opened {
    if (this.#opened === undefined) throw new StoreError("closed", "the cache is not open", { applied: false });
    return this.#opened;
  }
  get isOpen(): boolean {
    return this.#opened !== undefined;
  }
  get #core(): Core {
    return this.opened.core;
  }

  async open(): Promise<void> {
    const { killed } = this.#setup;
    const opened = await openCache({ setup: this.#setup, identity: identityOf(this.#store), reserveBytes: this.#reserveBytes });
    this.#opened = opened;
    this.#space = new SpaceMemory(opened.core);
    const die = (): void => {
      if (this.#opened !== opened) return;
      this.#opened = undefined;
      void opened.close(false);
    };
    if (killed?.aborted === true) die();
    killed?.addEventListener("abort", die, { once: true });
  }

  async reconnect(): Promise<void> {
    const { core, uploader } = this.opened;
    core.group.record(() => core.journal.run("update node set due = ? where dirty = 1 and tries > 0 and due > ?", core.clock.now(), core.clock.now()));
    uploader.pauses.end();
    uploader.wake();
  }

  async close(signal: AbortSignal | undefined): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    const { core } = opened;
    try {
      if (!core.group.poisoned && signal?.aborted !== true) {
        if (core.settings().flushOnClose) await this.#bringDown(opened, signal);
        else await lastUploads(opened, signal);
      }
      core.step("close.flushed");
    } finally {
      this.#opened = undefined;
      await opened.close(true);
    }
  }

  /** Until the remote has everything. What is parked is kept, and so is all the rest when the signal fires. */
  async #bringDown({ core, uploader }: Opened, signal: AbortSignal | undefined): Promise<void> {
    uploader.pauses.end();
    uploader.wake();
    try {
      await flush(core, uploader, this.#store, { signal, sparesHolds: true });
    } catch (error) {
      if (!StoreError.is(error)) throw error;
      if (error.applied === "partly") core.events.tell("parked", error.path, { code: error.code, reason: error.reason });
    }
  }

  async stat(call: StatCall): Promise<Entry> {
    return spoken(call, await stat(this.#core, this.#known(call)));
  }

  async read(call: ReadCall): Promise<ReadReply> {
    const reply = await read(this.#core, this.#known(call));
    return { ...reply, entry: spoken(call, reply.entry) };
  }

  async write(call: WriteCall): Promise<Entry> {
    const now = call.ifAbsent || call.ifMatch !== undefined || this.#isThrough;
    return spoken(call, await (now ? writeNow : write)(this.#core, this.#known(call)));
  }

  list(call: ListCall): Promise<Page> {
    return list(this.#core, this.#known(call));
  }

  delete(call: DeleteCall): Promise<void> {
    const known = this.#known(call);
    const now = call.ifMatch !== undefined || this.#isThrough || liesBeside(this.#core, known.path);
    return (now ? deleteNow : remove)(this.#core, known);
  }

  async mkdir(call: MkdirCall): Promise<Entry> {
    return spoken(call, await (this.#isThrough ? makeDirectoryNow : makeDirectory)(this.#core, this.#known(call)));
  }

  copy(call: CopyCall): Promise<Entry> {
    return this.#transfer(call);
  }

  move(call: MoveCall): Promise<Entry> {
    return this.#transfer(call);
  }

  async #transfer(call: CopyCall | MoveCall): Promise<Entry> {
    const core = this.#core;
    const { spelling } = core;
    if (spelling.isOne(call.path, call.to)) {
      // Only the service knows how it spells, and here one row would be its own target.
      if (call.operation === "move" && !call.ifAbsent && call.path !== call.to) return transferNow(core, this.#known(call));
      // A copy onto itself: nothing happens, and above all nothing is deleted.
      const entry = await stat(core, this.#known(calls.stat(call.path, { signal: call.signal })));
      if (call.ifAbsent) throw new StoreError("already-exists", "something is at the target", { entry, applied: false });
      return { ...entry, path: call.to };
    }
    const known = { ...this.#known(call), to: spelling.known(core, call.to) };
    const now = call.ifAbsent || this.#isThrough || liesBeside(core, known.path);
    const entry = await (now ? transferNow : transfer)(core, known);
    return { ...entry, path: call.to };
  }

  space({ signal }: SpaceCall): Promise<Space> {
    return (this.#space as SpaceMemory).get(signal);
  }

  account(call: AccountCall): Promise<Account> {
    return this.#core.inner.account(call);
  }

  #known<C extends Call>(call: C): C {
    const { spelling } = this.#core;
    return spelling.folds ? { ...call, path: spelling.known(this.#core, call.path) } : call;
  }

  get #isThrough(): boolean {
    return this.#core.settings().mode === "write-through";
  }
}

async function lastUploads({ core, uploader }: Opened, signal: AbortSignal | undefined): Promise<void> {
  uploader.pauses.byHand = true;
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const timer = core.clock.sleep(LAST_UPLOADS_MS, stop).then(
    () => over.abort(),
    () => {},
  );
  while (uploader.running > 0 && !stop.aborted) await uploader.changed(stop).catch(() => {});
  over.abort();
  await timer;
}

/** An answer names the path as the caller wrote it. */
function spoken({ path }: Call, entry: Entry): Entry {
  return entry.path === path ? entry : { ...entry, path };
}

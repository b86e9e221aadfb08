/** What every part of an open pool needs. */
import type { Hold } from "../catalogue/index.ts";
import { Pins } from "../local-files/index.ts";
import { StoreError, Turns } from "../store/index.ts";
import type { Disk } from "./disk.ts";
import { Hosts } from "./hosts.ts";
import type { Settings } from "./options.ts";
import { Room } from "./room.ts";

/** Lock of who looks after nodes that died, and of who opens one meanwhile. */
export const NODES = "pool nodes";
export const nodeKey = (node: string): string => `node ${node}`;

export class Core {
  readonly settings: Settings;
  readonly disk: Disk;
  /** Who this cache directory is in the catalogue. */
  readonly node: string;
  readonly #hold: Hold;
  readonly hosts: Hosts;
  readonly room: Room;
  /** One at a time for each hash: what is put into the cache, checked there, fetched. */
  readonly turns: Turns = new Turns();
  readonly #pins = new Pins();
  readonly #leaving = new Map<number, Promise<void>>();

  constructor(settings: Settings, disk: Disk, node: string, hold: Hold) {
    this.settings = settings;
    this.disk = disk;
    this.node = node;
    this.#hold = hold;
    this.hosts = new Hosts(settings.catalogue, settings.random);
    this.room = new Room(this);
  }

  get db(): Settings["catalogue"] {
    return this.settings.catalogue;
  }

  now(): number {
    return this.settings.clock.now();
  }

  /** @throws StoreError `conflict` once the database let go of this directory, since another process may have it now */
  checkHold(): void {
    if (this.#hold.lost)
      throw new StoreError("conflict", "the connection that held this cache directory broke: open the pool anew", { transient: false, applied: false });
  }

  release(): Promise<void> {
    return this.#hold[Symbol.asyncDispose]() as Promise<void>;
  }

  /** While it is pinned a file does not leave the cache. Waits for a leaving that has begun, so that what is read from the catalogue afterwards holds. */
  async pin(file: number): Promise<Disposable> {
    const pin = this.#pins.add(file);
    await this.#leaving.get(file);
    return pin;
  }

  /** Undefined where the file is pinned, or leaves already; nothing was done then. */
  async whileLeaving<T>(file: number, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#pins.has(file) || this.#leaving.has(file)) return undefined;
    const done = Promise.withResolvers<void>();
    this.#leaving.set(file, done.promise);
    try {
      return await work();
    } finally {
      this.#leaving.delete(file);
      done.resolve();
    }
  }

  /** What must not be chosen to leave. */
  get busy(): readonly number[] {
    return [...this.#pins.keys(), ...this.#leaving.keys()];
  }
}

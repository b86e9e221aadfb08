/** The ten operations: questions are answered from memory or remembered, changes bring the memory up to date, space and account are kept for a while. */
import type {
  Account,
  AccountCall,
  Backend,
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
  WriteCall,
} from "../../store/index.ts";
import { Changes } from "./changes.ts";
import { Listings } from "./listings.ts";
import type { MetadataMemory } from "./memory.ts";
import { Questions } from "./questions.ts";

export class MetadataCacheBackend implements Backend {
  /** Those of the inner store: nothing is taken away, and conditions are never answered from memory. */
  readonly capabilities: Capabilities;
  readonly #inner: Backend;
  readonly #memory: MetadataMemory;
  readonly #listings: Listings;
  readonly #questions: Questions;
  readonly #changes: Changes;
  #space: { readonly space: Space; readonly at: number; readonly since: number } | undefined;
  #account: Account | undefined;

  constructor(inner: Backend, memory: MetadataMemory) {
    this.#inner = inner;
    this.#memory = memory;
    this.capabilities = inner.capabilities;
    this.#listings = new Listings(inner, memory);
    this.#questions = new Questions(inner, memory, this.#listings);
    this.#changes = new Changes(inner, memory);
  }

  stat(call: StatCall): Promise<Entry> {
    return this.#questions.stat(call);
  }
  list(call: ListCall): Promise<Page> {
    return this.#listings.list(call);
  }
  read(call: ReadCall): Promise<ReadReply> {
    return this.#questions.read(call);
  }
  write(call: WriteCall): Promise<Entry> {
    return this.#changes.write(call);
  }
  delete(call: DeleteCall): Promise<void> {
    return this.#changes.delete(call);
  }
  mkdir(call: MkdirCall): Promise<Entry> {
    return this.#changes.mkdir(call);
  }
  copy(call: CopyCall): Promise<Entry> {
    return this.#changes.copy(call);
  }
  move(call: MoveCall): Promise<Entry> {
    return this.#changes.move(call);
  }

  /** What an own change took or gave shows at once. */
  async space(call: SpaceCall): Promise<Space> {
    const { touches, now, settings, counts, rules } = this.#memory;
    const kept = this.#space;
    if (kept !== undefined && !touches.any(kept.since) && rules.isAlive(kept.at, settings.spaceMs, now)) {
      counts.hits++;
      return kept.space;
    }
    counts.misses++;
    const since = touches.now;
    const space = await this.#inner.space(call);
    this.#space = { space, at: now, since };
    return space;
  }

  /** Until `reconnect`: it may be another user then. */
  async account(call: AccountCall): Promise<Account> {
    if (this.#account !== undefined) {
      this.#memory.counts.hits++;
      return this.#account;
    }
    this.#memory.counts.misses++;
    const account = await this.#inner.account(call);
    this.#account = account;
    return account;
  }

  forgetAccount(): void {
    this.#account = undefined;
    this.#space = undefined;
  }
}

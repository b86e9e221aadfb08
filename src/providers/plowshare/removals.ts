/** Links that nobody needs are removed at their hosts in the background, one at a time; what fails is tried again, also after a restart. */
import { StoreError, abortError, hasCode } from "../../store/index.ts";
import type { Removal } from "./contents.ts";
import { translate } from "./errors.ts";
import { isLink } from "./links.ts";
import type { Session } from "./session.ts";

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 86_400_000;
const AT_ONCE = 50;

export class Removals {
  readonly #session: Session;
  readonly #over: AbortSignal;
  #loop: Promise<void> = Promise.resolve();
  #wake: AbortController | undefined;
  /** Why nothing is removed any more until the store is opened again. */
  failure: StoreError | undefined;
  readonly #listener = (): void => this.#wake?.abort();

  constructor(session: Session, over: AbortSignal) {
    this.#session = session;
    this.#over = over;
  }

  start(): void {
    this.#session.library.listeners.add(this.#listener);
    this.#over.addEventListener("abort", this.#listener, { once: true });
    this.#loop = this.#run().catch((error: unknown) => {
      // The disk of the index fails: the rows stay for the next opening, and whoever asks is told.
      this.failure = translate(error) ?? new StoreError("unknown", "the removals stopped", { cause: error, applied: false });
    });
  }

  async ended(): Promise<void> {
    this.#session.library.listeners.delete(this.#listener);
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { library, settings } = this.#session;
    while (!this.#over.aborted) {
      this.#wake = new AbortController();
      const rows = this.#ready();
      if (rows.length > 0) for (const row of rows) await this.#remove(row, this.#over);
      else {
        const next = library.contents.nextRemoval();
        const wait = next === null ? LONGEST_WAIT_MS : Math.max(1000, Math.min(LONGEST_WAIT_MS, next - this.#session.now()));
        await settings.clock.sleep(wait, this.#wake.signal, { background: true }).catch(() => {});
        // Calls that made work go first.
        await new Promise<void>((go) => setImmediate(go));
      }
    }
  }

  #ready(): Removal[] {
    const { library } = this.#session;
    return library.contents.dueRemovals(this.#session.now(), AT_ONCE).filter(({ id, url }) => !library.removing.has(id) && !library.inUse.has(url));
  }

  /** Tries each that waits once, now; the stuck ones too where asked. */
  async drain(signal: AbortSignal | undefined, stuckToo = false): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const { contents } = this.#session.library;
    contents.hurry(this.#session.now(), stuckToo);
    const tried = new Set<number>();
    for (;;) {
      const rows = this.#ready().filter(({ id }) => !tried.has(id));
      const busy = [...this.#session.library.removing];
      if (rows.length === 0 && busy.length === 0) return;
      if (signal?.aborted === true) throw abortError(signal, { applied: false });
      for (const row of rows) {
        tried.add(row.id);
        await this.#remove(row, signal);
      }
      // What the background has under way is waited for as well.
      if (rows.length === 0) await this.#session.settings.clock.sleep(5, signal);
    }
  }

  async #remove(row: Removal, signal: AbortSignal | undefined): Promise<void> {
    const { library, commands, settings } = this.#session;
    // Another store of this process may have done it since it was looked up.
    if (library.removing.has(row.id) || signal?.aborted === true || !library.contents.isDue(row.id, this.#session.now())) return;
    library.removing.add(row.id);
    try {
      // Hosts that keep equal files once give one link for both; what another file needs stays.
      if (library.contents.isNeeded(row)) return library.contents.removed(row.id);
      const link = deletionLink(row, settings.credentials[row.host] !== undefined);
      if (link === undefined) throw new StoreError("permission-denied", "the host gave no link that deletes it", { applied: false });
      await this.#session.atHost(row.host, signal, async () => {
        await using place = await commands.surroundings.place();
        // The turn may have come hours later, after the very upload that got the same link, or a reader; from here to the command nothing waits.
        if (!library.contents.isDue(row.id, this.#session.now()) || library.inUse.has(row.url)) return;
        if (!library.contents.isNeeded(row)) await library.deletions.during(row, () => commands.remove(link, { place, signal }));
        library.contents.removed(row.id);
      });
    } catch (error) {
      const known = translate(error);
      if (known === undefined) throw error;
      // Nobody's fault: it is tried again when the store is open.
      if (hasCode(known, "aborted", "closed")) return;
      this.#failed(row, known);
    } finally {
      library.removing.delete(row.id);
    }
  }

  #failed(row: Removal, error: StoreError): void {
    const { contents, hosts } = this.#session.library;
    // Nothing that time cures: somebody must look.
    if (hasCode(error, "permission-denied", "unsupported")) contents.stuck(row.id, error.reason);
    else {
      hosts.failed(row.host, error, this.#session.now());
      contents.postpone(row.id, this.#session.now() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, row.tries)));
    }
  }
}

/** The link that deletes; else the owner's link; else, with an account at the host, the link itself. */
function deletionLink({ url, remove, admin }: Removal, account: boolean): string | undefined {
  if (remove !== null) return remove;
  if (admin !== null && isLink(admin)) return admin;
  return account ? url : undefined;
}

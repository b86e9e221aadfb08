/** One open connection to a drive: the API, and what has been learned and done through it. */
import { root, Turns, unlessAborted } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { Api } from "./api.ts";
import type { Signal } from "./api.ts";
import type { Settings } from "./options.ts";
import { Paths } from "./paths.ts";
import type { Place } from "./paths.ts";
import { Recent } from "./recent.ts";
import { Searched } from "./searched.ts";

/** Ids asked for at once: one request for so many new files. */
const STOCK = 100;
/** Ids kept of creations whose outcome is not known. */
const MOST_DOUBTFUL = 1000;

export class Session {
  readonly settings: Settings;
  readonly api: Api;
  readonly paths: Paths;
  readonly recent: Recent;
  readonly searched: Searched;
  /** By path: what must not overlap with another call of ours. Drive takes two files of one name without a word. */
  readonly turns: Turns = new Turns();
  #root: { readonly place: Place; readonly foundMs: number; readonly untilMs: number } | undefined;
  readonly #ids: string[] = [];
  #fetching: Promise<void> | undefined;
  readonly #doubtful = new Map<string, string>();

  readonly #noticed: () => void;

  private constructor(settings: Settings, api: Api, noticed: () => void) {
    this.#noticed = noticed;
    this.settings = settings;
    this.api = api;
    this.paths = new Paths(settings.clock, settings.indexTtlMs);
    this.recent = new Recent(settings.clock, settings.settleMs);
    // Where nothing is known by id every lookup is a search.
    this.searched = new Searched(settings.clock, settings.settleMs === 0 ? 0 : settings.indexTtlMs);
  }

  /** `noticed`: several files bear one name. */
  static async open(settings: Settings, noticed: () => void): Promise<Session> {
    return new Session(settings, await Api.open(settings), noticed);
  }

  /**
   * An id for a new file, from the service: with it a creation whose answer was lost can be asked for by id, and sent again without making a second
   * file. The same one as last time where nobody knows what became of that.
   */
  async newId(parent: string, name: string, signal: Signal): Promise<string> {
    const doubtful = this.#doubtful.get(key(parent, name));
    if (doubtful !== undefined) return doubtful;
    while (this.#ids.length === 0) {
      this.#fetching ??= this.api
        .generateIds(STOCK, undefined)
        .then((ids) => void this.#ids.push(...ids))
        .finally(() => (this.#fetching = undefined));
      // Not with the signal of whoever came first: others wait for it too.
      await unlessAborted(this.#fetching, signal);
    }
    return this.#ids.pop() as string;
  }

  /** Nobody knows whether this creation happened. */
  doubt(parent: string, name: string, id: string): void {
    if (this.#doubtful.size >= MOST_DOUBTFUL) this.#doubtful.delete(this.#doubtful.keys().next().value as string);
    this.#doubtful.set(key(parent, name), id);
  }

  settled(parent: string, name: string): void {
    this.#doubtful.delete(key(parent, name));
  }

  /** `ids` bear the same name. */
  tell(path: StorePath, ids: readonly string[]): void {
    this.#noticed();
    this.settings.onDuplicates?.({ path, ids });
  }

  get rootPlace(): Place | undefined {
    return this.#root === undefined || this.settings.clock.monotonic() >= this.#root.untilMs ? undefined : this.#root.place;
  }

  /**
   * Where it may have been made a moment ago, by us or by another process, the search shows all of it later only: another process that does not see
   * ours for `settleMs` makes one of its own, which we do not see for as long again. Until then it is a folder like any other.
   */
  setRoot(place: Place): void {
    if (this.rootPlace === place) return;
    const { clock, createRoot, settleMs, indexTtlMs } = this.settings;
    const now = clock.monotonic();
    if (this.#root !== undefined && this.#root.place.ids.join() !== place.ids.join()) this.paths.clear();
    const foundMs = this.#root?.foundMs ?? now;
    const settledMs = foundMs + (createRoot ? 2 * settleMs : 0);
    this.#root = { place, foundMs, untilMs: now >= settledMs ? Infinity : Math.min(now + indexTtlMs, settledMs) };
  }

  /** What was moved, deleted or made anew: everything below is another thing now. */
  drop(path: StorePath): void {
    if (path === root) this.#root = undefined;
    this.paths.drop(path);
  }

  reconnect(): void {
    this.api.tokens.forget();
    this.#root = undefined;
    this.paths.clear();
    this.searched.clear();
  }
}

function key(parent: string, name: string): string {
  return `${parent}/${name}`;
}

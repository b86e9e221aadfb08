/**
 * What a stack does, live in a terminal: `await top(store, { signal })`.
 *
 *   const stop = new AbortController();
 *   const view = top(store, { signal: stop.signal });
 *   await work(store);
 *   stop.abort();
 *   await view;
 */
import { systemClock } from "../../store/index.ts";
import type { Injected, Store } from "../../store/index.ts";
import { frameOf } from "./frame.ts";
import type { StatsSnapshot } from "./snapshot.ts";
import { viewText, views } from "./views.ts";

/** Where it is written to: `process.stdout`, or whatever else takes text. */
export interface TopOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  getColorDepth?(): number;
}
export interface TopOptions extends Pick<Injected, "clock"> {
  /** Default `process.stdout`. */
  readonly output?: TopOutput | undefined;
  /** Default 500 on a terminal, 5,000 elsewhere. */
  readonly intervalMs?: number | undefined;
  /** When it fires the view ends, and resolves; the last frame stays. Without one it never ends. */
  readonly signal?: AbortSignal | undefined;
  /** "frame": redrawn in place. "text": a line each time. "json": a snapshot as a line of JSON each time. Default: "frame" on a terminal, else "text". */
  readonly mode?: "frame" | "text" | "json" | undefined;
}

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_TO_END_OF_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/**
 * Of any stack: with `stats` in it rates, latencies and errors, and always what its layers report and what waits for its upload. Reads figures only,
 * makes no call of the store. A frame is one write that overwrites the one before in place, so that nothing flickers, in tmux neither.
 */
export async function top(store: Store, options: TopOptions = {}): Promise<void> {
  const { output = process.stdout, signal, clock = systemClock } = options;
  const terminal = output.isTTY === true;
  const { mode = terminal ? "frame" : "text", intervalMs = terminal ? 500 : 5000 } = options;
  const screen = new Screen(output);
  const over = (): boolean => signal?.aborted === true;
  let before: StatsSnapshot | null = null;
  const show = (): void => {
    if (mode === "json") return void output.write(`${JSON.stringify(views(store).stats() ?? views(store).reports())}\n`);
    if (mode === "text") return void output.write(`${viewText(store, "stats")}\n`);
    const all = views(store);
    const now = all.stats();
    // A terminal that does not know its size says 0.
    const columns = output.columns || 80;
    const rows = output.rows || 24;
    const colours = (output.getColorDepth?.() ?? 1) > 1;
    screen.draw(frameOf({ title: String(store), now, before, reported: all.reports(), pending: all.pending() }, { columns, rows: rows - 1, colours }));
    before = now;
  };
  try {
    for (;;) {
      show();
      if (over()) return;
      try {
        await clock.sleep(intervalMs, signal);
      } catch (reason) {
        // The last figures are worth a last look.
        if (!over()) throw reason;
      }
    }
  } finally {
    screen.end();
  }
}

/** Lines that are written over lines. */
class Screen {
  readonly #output: TopOutput;
  #lines = 0;

  constructor(output: TopOutput) {
    this.#output = output;
  }

  draw(lines: readonly string[]): void {
    const up = this.#lines > 1 ? `\u001b[${this.#lines - 1}A` : "";
    const first = this.#lines === 0 ? HIDE_CURSOR : "\r";
    this.#output.write(`${first}${up}${lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}`).join("\n")}${CLEAR_BELOW}`);
    this.#lines = lines.length;
  }

  end(): void {
    if (this.#lines > 0) this.#output.write(`${SHOW_CURSOR}\n`);
  }
}

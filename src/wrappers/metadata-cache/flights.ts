/** Questions under way, each asked once for all who want the answer. */
import { abortError } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Asked } from "./memory.ts";

/** What a flight is found by: a text, or the cursor of a page. */
export type FlightKey = string | object;

interface Flight {
  readonly asked: Asked;
  readonly answer: Promise<unknown>;
  readonly stop: AbortController;
  waiting: number;
}

export class Flights {
  readonly #flights = new Map<FlightKey, Flight>();
  /** Questions that another one's answer was good for. */
  joined = 0;

  get size(): number {
    return this.#flights.size;
  }

  /** The answer of a question under way, or undefined: there is none, or its answer would be too old. */
  join<T>(key: FlightKey, mayJoin: (asked: Asked) => boolean, signal: AbortSignal | undefined): Promise<T> | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined || flight.stop.signal.aborted || !mayJoin(flight.asked)) return undefined;
    this.joined++;
    return this.#wait<T>(key, flight, signal);
  }

  /** Asks, for oneself and for who joins. The signal that `ask` gets fires when the last who waits has gone. */
  start<T>(key: FlightKey, asked: Asked, ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const stop = new AbortController();
    const flight: Flight = { asked, stop, waiting: 0, answer: ask(stop.signal) };
    this.#flights.set(key, flight);
    const gone = (): void => this.#remove(key, flight);
    // Each who waits is told; here is nobody to tell.
    flight.answer.then(gone, gone);
    return this.#wait<T>(key, flight, signal);
  }

  #remove(key: FlightKey, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  /** The last one does not run away from the call: it stops it, and takes what comes of that. */
  #wait<T>(key: FlightKey, flight: Flight, signal: AbortSignal | undefined): Promise<T> {
    flight.waiting++;
    if (signal === undefined) return flight.answer as Promise<T>;
    return new Promise<T>((done, fail) => {
      const leave = (): void => {
        flight.waiting--;
        if (flight.waiting > 0) return fail(abortError(signal, { applied: false }));
        this.#remove(key, flight);
        flight.stop.abort(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      const quiet = (): void => signal.removeEventListener("abort", leave);
      flight.answer.then(
        (answer) => {
          quiet();
          done(answer as T);
        },
        (error: unknown) => {
          quiet();
          fail(error);
        },
      );
      if (signal.aborted) leave();
    });
  }
}

/** The key of a question about one path. */
export function keyOf(kind: "stat basic" | "stat full" | "list" | "list recursive", path: StorePath): string {
  return `${kind} ${path}`;
}

/** How far a long work is: one line on a terminal, written over and gone at the end. */
import type { WorkProgress } from "../pool/index.ts";
import { cutTo } from "./terminal.ts";

export interface WorkBar {
  show(progress: WorkProgress): void;
  end(): void;
}

/** Between two writes. */
const EVERY_MS = 100;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `now`: milliseconds of a clock that only goes forward. */
export function workBar(stream: Pick<NodeJS.WriteStream, "write" | "columns">, title: string, now: () => number = () => performance.now()): WorkBar {
  const started = now();
  let shownAt = -Infinity;
  let shown = false;
  const clear = (): void => void stream.write("\r\u001b[2K");
  return {
    show(progress) {
      const at = now();
      if (at - shownAt < EVERY_MS) return;
      shownAt = at;
      shown = true;
      clear();
      stream.write(cutTo(`${title}: ${lineOf(progress)} · ${Math.round((at - started) / 1000)} s`, (stream.columns ?? 80) - 1));
    },
    end() {
      if (shown) clear();
      shown = false;
    },
  };
}

function lineOf({ done, total, bytes, totalBytes }: WorkProgress): string {
  const counts = total === null ? number(done) : `${number(done)} of ${number(total)}`;
  if (bytes === 0 && totalBytes === null) return counts;
  return `${counts} · ${size(bytes)}${totalBytes === null ? "" : ` of ${size(totalBytes)}`}`;
}

const number = (n: number): string => n.toLocaleString("en-US");

function size(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

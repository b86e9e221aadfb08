/** Who writes a temporary file: part of its name, so that what a killed process has left is known at once on the machine where it ran. */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Letters of the place and of the process in front of a temporary name's random ones. */
export const WRITER_LETTERS = 11;
const PLACE_LETTERS = 5;
const PID_LETTERS = WRITER_LETTERS - PLACE_LETTERS;

let own: string | undefined;

/** Of this process: a hash of where its number means something, and the number. */
export function writerLetters(): string {
  own ??= `${placeLetters()}${process.pid.toString(36).padStart(PID_LETTERS, "0")}`;
  return own;
}

/** Is it certain that the process which made this name has ended? Names from elsewhere, and of an earlier start of this machine, say nothing. */
export function isOfDeadWriter(letters: string): boolean {
  const mine = writerLetters();
  const theirs = letters.slice(0, WRITER_LETTERS).toLowerCase();
  if (theirs === mine || !theirs.startsWith(mine.slice(0, PLACE_LETTERS))) return false;
  try {
    process.kill(Number.parseInt(theirs.slice(PLACE_LETTERS), 36), 0);
    return false;
  } catch (error) {
    // EPERM: it runs, as somebody else's.
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** A process number means something within one start of one machine, and on Linux within one namespace of processes: containers have their own. */
function placeLetters(): string {
  const text = [hostname(), quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")), quietly(() => readlinkSync("/proc/self/ns/pid"))].join(
    "\n",
  );
  const hash = createHash("sha256").update(text).digest().readUIntBE(0, 6);
  return hash.toString(36).padStart(PLACE_LETTERS, "0").slice(-PLACE_LETTERS);
}

/** Other systems than Linux have neither. */
function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

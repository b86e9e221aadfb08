/** How much memory byte arrays hold in this process, after the collector has run: for checks that nothing is collected on the way. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Bytes in ArrayBuffers that somebody still holds. Other work in the process counts too, so bounds must be generous. */
export function heldBytes(): number {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

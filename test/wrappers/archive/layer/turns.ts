/**
 * Lets everything that can happen without time happen. Work in Node's threads would make that a matter of luck, so gzip is done at once here: this module
 * is loaded before the layer, which takes its functions when it is loaded.
 */
import { syncBuiltinESMExports } from "node:module";
import zlib from "node:zlib";

/** The largest thing that was unpacked. */
export const unpacked: { most: number } = { most: 0 };

type Callback = (error: Error | null, result?: Buffer) => void;
function atOnce(
  work: (input: zlib.InputType, options: zlib.ZlibOptions) => Buffer,
): (input: zlib.InputType, options: zlib.ZlibOptions, done: Callback) => void {
  return (input, options, done) => {
    let result: Buffer;
    try {
      result = work(input, options);
    } catch (error) {
      return setImmediate(() => done(error as Error)) as unknown as void;
    }
    setImmediate(() => done(null, result));
  };
}
const changed = zlib as unknown as Record<string, unknown>;
changed["gzip"] = atOnce(zlib.gzipSync);
changed["gunzip"] = atOnce((input, options) => {
  const result = zlib.gunzipSync(input, options);
  unpacked.most = Math.max(unpacked.most, result.length);
  return result;
});
syncBuiltinESMExports();

/** File work of a spool is in the threads all the same. */
function inThreads(): boolean {
  return process.getActiveResourcesInfo().some((what) => what.startsWith("FSReq"));
}

/** Until nothing has happened for a few turns of the event loop. `events` grows with whatever is seen to happen. */
export async function quiet(events: () => number): Promise<void> {
  let calm = 0;
  for (let turns = 0; calm < 6; turns++) {
    if (turns > 100_000) throw new Error("it never comes to rest");
    const before = events();
    await new Promise((done) => setImmediate(done));
    calm = events() === before && !inThreads() ? calm + 1 : 0;
  }
}

/**
 * Starts servers and keeps them until Ctrl-C, SIGTERM or the end of the pipe on stdin; each prints its connection as one line of JSON when it is ready.
 *
 *     node test/servers/run.ts ceph apache     # or: all
 */
import { fstatSync } from "node:fs";
import { connectionOf } from "./control.ts";
import { missing, parseNames, serverNames, startServer } from "./index.ts";

const names = parseNames(process.argv.slice(2).join(" "));
if (names.length === 0) {
  console.error(`usage: node test/servers/run.ts NAME... | all\nservers: ${serverNames.join(" ")}`);
  process.exit(2);
}
const absent = names.flatMap((name) => missing(name) ?? []);
if (absent.length > 0) {
  console.error(absent.join("\n"));
  process.exit(1);
}

const ended = new Promise<void>((resolve) => {
  setInterval(() => {}, 1_000_000); // Signals alone don't keep a process up.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  // Whoever started us holds the other end of a pipe; /dev/null, which a background job gets, ends at once and means nothing.
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket() || process.stdin.isTTY) {
    process.stdin.once("end", () => resolve()).once("error", () => resolve());
    process.stdin.resume();
  }
});
process.stdout.on("error", () => process.exit(0)); // Nobody reads: the keeper cleans up.

const running = names.map(async (name) => {
  const server = await startServer(name);
  console.log(JSON.stringify(connectionOf(server)));
  return server;
});
const failure = Promise.all(running).then(() => new Promise<never>(() => {}));
try {
  await Promise.race([ended, failure]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// Ending now, with servers perhaps still starting, is safe: the keeper outlives us just long enough.
process.exit();

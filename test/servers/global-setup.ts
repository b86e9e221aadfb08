/**
 * vitest's globalSetup: shares one instance of each server between all test files, and says plainly what is not proved for want of a server.
 *
 *     test: { globalSetup: ["test/servers/global-setup.ts"] }
 */
import { inCi, notProvedLines, openHub, selection } from "./shared.ts";
import { missing } from "./index.ts";

export default async function setup(): Promise<() => Promise<void>> {
  const absent = selection().names.flatMap((name) => missing(name) ?? []);
  if (absent.length > 0 && inCi()) throw new Error(`in CI every server must be there:\n${absent.join("\n")}\n${notProvedLines().join("\n")}`);
  const hub = await openHub();
  return async () => {
    for (const line of notProvedLines()) console.warn(line);
    await hub.close();
  };
}

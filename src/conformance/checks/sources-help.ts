/** What checks of failing bodies share: that nothing has changed, that nothing is held. */
import { equal, ok, pattern } from "../assert.ts";
import type { ProbedBody } from "../assert.ts";
import type { CheckContext } from "../check.ts";
import { absent, base } from "./base.ts";
import { holds, put } from "./look.ts";

export const old: Uint8Array<ArrayBuffer> = pattern(777, "old");

/**
 * Runs `attempt` at a path where nothing is and at one that holds a file; it must fail, and afterwards there is nothing at the one, the old version
 * at the other, and nothing else in the directory.
 */
export async function changesNothing(t: CheckContext, attempt: (path: string, existing: boolean) => Promise<void>): Promise<void> {
  const d = `${await base(t)}/x`;
  await put(t, `${d}/old`, old);
  await attempt(`${d}/new`, false);
  await absent(t, `${d}/new`, "a failed write of a new file leaves nothing");
  await attempt(`${d}/old`, true);
  await holds(t, `${d}/old`, old, "a failed overwrite leaves the old version");
  await attempt(`${d}/deep/down/new`, false);
  await absent(t, `${d}/deep/down/new`, "a failed write below missing parents leaves no file");
  await t.settled("list", async () => {
    const files = (await t.store.list(d).toArray()).filter((entry) => entry.kind === "file").map((entry) => entry.path as string);
    equal(files, [`${d}/old`], "no other file is left behind");
  });
}

export function letGo(body: ProbedBody, what: string): void {
  ok(body.closed || body.opened === 0, what, { opened: body.opened, closed: body.closed, pulls: body.pulls });
}

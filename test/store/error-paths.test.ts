/** Errors of calls with two paths name both, whatever is refused first. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";

const ended = { signal: AbortSignal.abort() };

for (const verb of ["copy", "move"] as const) {
  test(`${verb}: a wrong path, a fired signal and a closed store name both paths of the call`, async () => {
    const store = memory();
    await expect(store[verb]("/from", "wrong")).rejects.toMatchObject({ code: "invalid-path", operation: verb, path: "/from", to: "wrong" });
    await expect(store[verb]("wrong", "/to")).rejects.toMatchObject({ code: "invalid-path", operation: verb, path: "wrong", to: "/to" });
    await expect(store[verb]("/from", "/to", ended)).rejects.toMatchObject({ code: "aborted", operation: verb, path: "/from", to: "/to" });
    await store.close();
    await expect(store[verb]("/from", "/to")).rejects.toMatchObject({ code: "closed", operation: verb, path: "/from", to: "/to" });
  });
}

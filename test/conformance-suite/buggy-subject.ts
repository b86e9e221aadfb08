/** A store with one bug, as a newcomer might write it: a shorter file leaves the tail of the longer one it replaces. */
import type { Subject } from "../../src/conformance/index.ts";
import { calls, hasCode, layer } from "../../src/store/index.ts";
import type { Backend, Entry, Store, WriteCall } from "../../src/store/index.ts";
import { memorySubject } from "./memory-subject.ts";

export function keepsTail(store: Store): Store {
  return layer("tail", (inner) => ({
    backend: forwarding(inner, {
      async write(call: WriteCall): Promise<Entry> {
        const bytes = await call.body.open().all();
        const old = await inner.read(calls.read(call.path)).then(
          (reply) => reply.body.all(),
          (error: unknown) => {
            if (hasCode(error, "not-found", "is-a-directory", "not-a-directory")) return new Uint8Array();
            throw error;
          },
        );
        return await inner.write({ ...call, expect: undefined, body: calls.write(call.path, Buffer.concat([bytes, old.subarray(bytes.length)])).body });
      },
    }),
  }))(store);
}

/** Everything as it is, but for what is changed. */
export function forwarding(inner: Backend, change: Partial<Backend>): Backend {
  return {
    capabilities: inner.capabilities,
    stat: (call) => inner.stat(call),
    read: (call) => inner.read(call),
    write: (call) => inner.write(call),
    list: (call) => inner.list(call),
    delete: (call) => inner.delete(call),
    mkdir: (call) => inner.mkdir(call),
    copy: (call) => inner.copy(call),
    move: (call) => inner.move(call),
    space: (call) => inner.space(call),
    account: (call) => inner.account(call),
    ...change,
  };
}

export function buggySubject(more: Partial<Subject> = {}): Subject {
  return memorySubject({ name: "acme", ...more }, keepsTail);
}

/** What the tests of the store share: a provider whose every verb can be replaced, and bodies that misbehave. */
import { memory } from "../../src/providers/memory/index.ts";
import { createStore, entry } from "../../src/store/index.ts";
import type { Backend, Capabilities, Control, Entry, Layered, Provider, Store, StorePath } from "../../src/store/index.ts";
import { Front } from "../../src/store/front.ts";

export type Fake = Provider & { readonly kind: "fake" };

/** A provider of which only what is given works; the rest says that nobody should have called it. */
export function fake(parts: Partial<Omit<Provider, "kind">> = {}): Fake {
  const never = (verb: string) => (): Promise<never> => Promise.reject(new Error(`${verb} was not expected`));
  return {
    kind: "fake",
    capabilities: {},
    stat: never("stat"),
    read: never("read"),
    write: never("write"),
    list: never("list"),
    delete: never("delete"),
    ...parts,
  };
}
export function fakeStore(parts: Partial<Omit<Provider, "kind">> = {}): Store & Layered<"fake", Control> {
  return createStore(fake(parts));
}
export const file = (path: string, size: number | null = 0, more: Partial<Entry> = {}): Entry => ({
  ...entry({ path: path as StorePath, kind: "file", size }),
  ...more,
});
export const directory = (path: string): Entry => entry({ path: path as StorePath, kind: "directory" });

/** The backend of a store, which knows what its provider can do. */
export function backendOf(store: Store): Backend {
  const parts = Front.partsOf(store);
  if (parts === undefined) throw new Error("no store");
  return parts.backend;
}

/** Memory behind a provider that has only what `capabilities` says natively: everything else is done by the adaptor. */
export function plain(
  capabilities: Partial<Capabilities> = {},
  over: (inner: Backend) => Partial<Omit<Provider, "kind">> = () => ({}),
): { readonly store: Store; readonly inner: Store; readonly backend: Backend } {
  const inner = memory();
  const backend = backendOf(inner);
  const provider: Fake = {
    kind: "fake",
    capabilities: {
      mkdir: "native",
      etag: true,
      exclusiveMkdir: true,
      writeIfAbsent: "native",
      writeUnknownSize: "native",
      writeMetadata: "native",
      maxMetadataBytes: Infinity,
      writeContentType: "native",
      ...capabilities,
    },
    stat: (call) => backend.stat(call),
    read: (call) => backend.read(call),
    write: (call) => backend.write(call),
    list: (call) => backend.list(call),
    delete: (call) => backend.delete(call),
    mkdir: (call) => backend.mkdir(call),
    ...over(backend),
  };
  return { store: createStore(provider), inner, backend };
}

export async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

/** A body that gives `first` and then waits for ever. */
export function stuck(first = "x"): AsyncIterable<Uint8Array> & { closed: number } {
  let given = false;
  const body = {
    closed: 0,
    [Symbol.asyncIterator]: () => ({
      next: (): Promise<IteratorResult<Uint8Array>> => {
        if (given) return new Promise(() => {});
        given = true;
        return Promise.resolve({ done: false, value: new TextEncoder().encode(first) });
      },
      return: (): Promise<IteratorResult<Uint8Array>> => {
        body.closed++;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  return body;
}

/** What a promise that must reject rejected with. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not reject");
}

export const tick = (ms = 0): Promise<void> => new Promise((done) => setTimeout(done, ms));
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

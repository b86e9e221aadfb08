/** One write to a provider: its body sized where the service must know the size, stopped at what the service takes, and watched to its end. */
import type { Capabilities } from "./capabilities.ts";
import type { Entry } from "./entry.ts";
import { StoreError } from "./errors.ts";
import type { ErrorDetails } from "./errors.ts";
import { watchSource } from "./map-source.ts";
import type { WriteCall } from "./operations.ts";
import type { Source } from "./source.ts";
import { spool } from "./spool.ts";

/** `explained` says an error in our words, with what is known of the change. */
export async function watchedWrite(
  call: WriteCall,
  capabilities: Capabilities,
  write: (call: WriteCall) => Promise<Entry>,
  explained: (error: unknown, facts?: ErrorDetails) => StoreError,
): Promise<Entry> {
  let held: Source & Partial<AsyncDisposable>;
  try {
    held = await sized(call, capabilities);
  } catch (error) {
    // Nothing was asked of the service yet.
    throw explained(error, { applied: false });
  }
  const watch = new Watch(held.size);
  try {
    const entry = sameSize(held.size, await write({ ...call, body: watchSource(held, (range) => watch.stream(range === undefined)) }));
    if (!watch.taken) throw new StoreError("integrity", "the provider answered before it had read the body to its end", { applied: "unknown", entry });
    return entry;
  } catch (error) {
    // What the body failed of comes before whatever the service or its SDK made of it.
    throw watch.failure === undefined ? explained(error) : explained(watch.failure.error, { applied: appliedOf(error) });
  } finally {
    await held[Symbol.asyncDispose]?.();
  }
}

/** The same for a body in memory, which cannot fail on the way, so that nobody needs to watch it. */
export function writtenFromMemory({ body }: WriteCall, entry: Entry): Entry {
  if (body.size !== 0 && !body.opened) throw new StoreError("integrity", "the provider answered without reading the body", { applied: "unknown", entry });
  return sameSize(body.size, entry);
}

function sameSize(size: number | null, entry: Entry): Entry {
  if (size !== null && entry.size !== null && entry.size !== size)
    throw new StoreError("integrity", `the service stored ${entry.size} of ${size} bytes`, { applied: true, entry });
  return entry;
}

/** After a failed body nothing is stored, unless the provider knows better. */
function appliedOf(error: unknown): ErrorDetails["applied"] {
  return StoreError.is(error) && error.applied !== false ? error.applied : false;
}

/** What a provider takes of a body: all of it, in one stream or in parts, or something failed. */
class Watch {
  readonly #size: number | null;
  #parts = 0;
  #whole: boolean;
  failure: { readonly error: unknown } | undefined;

  constructor(size: number | null) {
    this.#size = size;
    this.#whole = size === 0;
  }

  get taken(): boolean {
    return this.#whole || (this.#size !== null && this.#parts >= this.#size);
  }

  stream(whole: boolean): { chunk(bytes: Uint8Array): void; end(outcome: { readonly complete: boolean; readonly error: unknown }): void } {
    let count = 0;
    return {
      chunk: ({ byteLength }) => {
        count += byteLength;
        if (!whole) this.#parts += byteLength;
        // Whoever counts does not ask for the end; the last bytes are given only when the rest is right.
        else if (count === this.#size) this.#whole = true;
      },
      end: ({ complete, error }) => {
        if (complete && whole) this.#whole = true;
        if (error !== undefined) this.failure = { error };
      },
    };
  }
}

/** The body with its size known, where the service has to know it beforehand, and never more of it than the service takes. */
async function sized({ body, ifAbsent, ifMatch, signal }: WriteCall, capabilities: Capabilities): Promise<Source & Partial<AsyncDisposable>> {
  if (body.size !== null) return body;
  const { writeUnknownSize, maxConditionalBytes, maxUnknownBytes, maxFileBytes } = capabilities;
  const most = Math.min(maxUnknownBytes, maxFileBytes, ifAbsent || ifMatch !== undefined ? maxConditionalBytes : Infinity);
  const limited = most === Infinity ? body : watchSource(body, () => ({ chunk: atMost(most) }));
  const known = writeUnknownSize !== "native" || ((ifAbsent || ifMatch !== undefined) && maxConditionalBytes !== Infinity);
  return known ? spool(limited, { signal }) : limited;
}

function atMost(most: number): (bytes: Uint8Array) => void {
  let count = 0;
  return (bytes) => {
    count += bytes.byteLength;
    if (count > most) throw new StoreError("too-large", `a body of unknown size has at most ${most} bytes here`, { applied: false });
  };
}

/**
 * Stores bytes so that nobody reads them by chance: `scramble("key")`. Not encryption: it shows how a wrapper changes bytes.
 * A wrapper that changes what an operation means writes every operation out, so that a new one does not compile until somebody has thought about it.
 */
import { StoreError } from "stratus";
import type { Account, Capabilities, Control, Entry, Kind, Layer, Space } from "stratus";
import { byteStream, kindOf, layer, mapSource } from "stratus/author";
import type {
  AccountCall,
  Backend,
  ByteStream,
  CopyCall,
  DeleteCall,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  ReadCall,
  ReadReply,
  SpaceCall,
  StatCall,
  WriteCall,
} from "stratus/author";

export function scramble(key: string): Layer<"scramble"> {
  const bytes = new TextEncoder().encode(key);
  if (bytes.byteLength === 0) throw new StoreError("config", "the key of scramble is not empty");
  // No I/O in here: what has to be opened is opened in `open`. What is printed and what is compared holds no key.
  return layer("scramble", (inner) => ({ backend: new Scramble(inner, bytes), identity: () => "scramble:1" }));
}

export const ScrambleKind: Kind<Control> = kindOf("scramble");

class Scramble implements Backend {
  readonly capabilities: Capabilities;
  readonly #inner: Backend;
  readonly #key: Uint8Array;

  constructor(inner: Backend, key: Uint8Array) {
    this.#inner = inner;
    this.#key = key;
    // Derived from those below, never written by hand. The hashes of the service are those of other bytes, so there are none.
    this.capabilities = Object.freeze({ ...inner.capabilities, hashes: [], writeExpect: [] });
  }

  /** What leaves this layer. Size and time are right as they are, and etags still mean equal bytes; hashes would be wrong: in seven places. */
  #out(entry: Entry): Entry {
    return Object.keys(entry.hashes).length === 0 ? entry : { ...entry, hashes: {} };
  }

  /** The same bytes, changed on the way; `offset` is the place in the file where the stream starts. */
  #changed(stream: ByteStream, offset: number): ByteStream {
    let at = offset;
    // Never an async generator: one that was not started does not run its `finally`, and the connection below would stay open.
    return byteStream({
      length: stream.length,
      pull: async () => {
        const chunk = await stream.pull();
        if (chunk === undefined) return undefined;
        // Chunks are borrowed: change a copy.
        const key = this.#key;
        const changed = Uint8Array.from(chunk, (byte, i) => byte ^ (key[(at + i) % key.length] as number));
        at += chunk.byteLength;
        return changed;
      },
      close: () => stream.close(),
    });
  }

  async stat(call: StatCall): Promise<Entry> {
    return this.#out(await this.#inner.stat(call));
  }
  async read(call: ReadCall): Promise<ReadReply> {
    const { entry, offset, body } = await this.#inner.read(call);
    return { entry: this.#out(entry), offset, body: this.#changed(body, offset) };
  }
  async write(call: WriteCall): Promise<Entry> {
    // `expect` was checked above, on the caller's bytes; the service sees others.
    const body = mapSource(call.body, call.body.size, (stream) => this.#changed(stream, 0));
    return this.#out(await this.#inner.write({ ...call, body, expect: undefined }));
  }
  async list(call: ListCall): Promise<Page> {
    const page = await this.#inner.list(call);
    return { ...page, entries: page.entries.map((entry) => this.#out(entry)) };
  }
  delete(call: DeleteCall): Promise<void> {
    return this.#inner.delete(call);
  }
  async mkdir(call: MkdirCall): Promise<Entry> {
    return this.#out(await this.#inner.mkdir(call));
  }
  async copy(call: CopyCall): Promise<Entry> {
    return this.#out(await this.#inner.copy(call));
  }
  async move(call: MoveCall): Promise<Entry> {
    return this.#out(await this.#inner.move(call));
  }
  space(call: SpaceCall): Promise<Space> {
    return this.#inner.space(call);
  }
  account(call: AccountCall): Promise<Account> {
    return this.#inner.account(call);
  }
}

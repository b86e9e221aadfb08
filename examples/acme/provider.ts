/** The Acme file service as a Stratus provider: `const store = acme({ url: "https://files.acme.example", token })`. */
import { StoreError } from "stratus";
import type { Control, Entry, Layered, Store, StorePath } from "stratus";
import { createStore, entry, errorFromResponse, join, rangeHeader } from "stratus/author";
import type { DeleteCall, ListCall, MkdirCall, Page, Provider, ProviderRead, ReadCall, StatCall, WriteCall } from "stratus/author";

export interface AcmeOptions {
  readonly url: string;
  readonly token: string;
  /** Default: the global fetch. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What the service says about a file or a folder. */
interface Item {
  readonly name: string;
  readonly kind: "file" | "directory";
  readonly size: number;
  readonly modified: number;
  readonly etag: string | null;
}

interface Ask {
  readonly signal: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** Fetch wants to be told that a body may be a stream. */
  readonly duplex?: "half";
}

class Acme implements Provider {
  readonly kind = "acme";
  // Only what the service has; everything that is left out is completed by Stratus or refused.
  readonly capabilities = {
    readRange: "native",
    readSuffix: "native",
    writeIfAbsent: "native",
    writeUnknownSize: "native",
    atomicWrites: "native",
    emptyOnlyDelete: "native",
    etag: true,
    modifiedPrecisionMs: 1,
    listComplete: true,
    afterlifeMs: 5_000,
  } as const;
  readonly #options: AcmeOptions;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: AcmeOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch;
  }

  async stat({ path, signal }: StatCall): Promise<Entry> {
    const answer = await this.#ask("GET", "stat", path, { signal });
    return this.#entry(path, (await answer.json()) as Item);
  }

  async read({ path, range, signal }: ReadCall): Promise<ProviderRead> {
    const wanted = rangeHeader(range);
    const answer = await this.#ask("GET", "files", path, { signal, headers: wanted === undefined ? {} : { range: wanted } });
    // What really came, not what was asked for: Stratus cuts or refuses what differs.
    const [, first, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers.get("content-range") ?? "") ?? [];
    return {
      entry: entry({
        path,
        kind: "file",
        size: Number(size ?? answer.headers.get("content-length")),
        modifiedMs: Number(answer.headers.get("x-modified")),
        etag: answer.headers.get("etag")?.replaceAll('"', ""),
        complete: true,
      }),
      offset: Number(first ?? 0),
      body: answer.body ?? new Uint8Array(0),
    };
  }

  async write({ path, body, ifAbsent, signal }: WriteCall): Promise<Entry> {
    // Bytes stay bytes; a stream goes up as it comes. If it fails, fetch breaks the request off, and the service stores nothing.
    const stream = body.open();
    try {
      const bytes = body.inMemory ? new Uint8Array(await stream.all()) : ReadableStream.from(stream);
      const headers = { "content-type": "application/octet-stream", ...(ifAbsent ? { "if-none-match": "*" } : {}) };
      const answer = await this.#ask("PUT", "files", path, { signal, headers, body: bytes, duplex: "half" });
      return this.#entry(path, (await answer.json()) as Item);
    } finally {
      await stream.close();
    }
  }

  async list({ path, cursor, signal }: ListCall): Promise<Page> {
    const answer = await this.#ask("GET", "list", path, { signal }, typeof cursor === "string" ? `?cursor=${encodeURIComponent(cursor)}` : "");
    const page = (await answer.json()) as { readonly items: readonly Item[]; readonly next: string | null };
    return { entries: page.items.map((item) => this.#entry(join(path, item.name), item)), cursor: page.next };
  }

  async delete({ path, signal }: DeleteCall): Promise<void> {
    const answer = await this.#ask("DELETE", "files", path, { signal });
    await answer.body?.cancel();
  }

  async mkdir({ path, existOk, signal }: MkdirCall): Promise<Entry> {
    const answer = await this.#ask("POST", "folders", path, { signal }, existOk ? "?exist=ok" : "");
    return this.#entry(path, (await answer.json()) as Item);
  }

  translate(error: unknown): StoreError | undefined {
    // `fetch failed`: the service was not reached, or the connection broke. Nobody may take that for "not found".
    return error instanceof TypeError ? new StoreError("unavailable", "the service cannot be reached", { cause: error }) : undefined;
  }

  describe(): string {
    return `url=${this.#options.url}`;
  }

  #entry(path: StorePath, item: Item): Entry {
    return entry({ path, kind: item.kind, size: item.size, modifiedMs: item.modified, etag: item.etag });
  }

  /** One request; what is no success becomes a StoreError. */
  async #ask(method: string, what: string, path: StorePath, { signal, ...init }: Ask, query = ""): Promise<Response> {
    const target = `${this.#options.url}/${what}${path.split("/").map(encodeURIComponent).join("/")}${query}`;
    const answer = await this.#fetch(target, {
      ...init,
      method,
      signal: signal ?? null,
      headers: { ...init.headers, authorization: `Bearer ${this.#options.token}` },
    });
    if (answer.ok) return answer;
    const text = await answer.text();
    const code = CODES[text];
    if (code !== undefined) throw new StoreError(code, `the service says ${text}`, { status: answer.status, applied: false });
    throw errorFromResponse(answer);
  }
}

/** Words that the service puts into its refusals. */
const CODES: Readonly<Record<string, "is-a-directory" | "not-a-directory" | "not-empty" | "already-exists">> = {
  "is a folder": "is-a-directory",
  "not a folder": "not-a-directory",
  "folder not empty": "not-empty",
  exists: "already-exists",
};

/** No request is made here: a store opens with its first call. */
export function acme(options: AcmeOptions): Store & Layered<"acme", Control> {
  return createStore<"acme">(new Acme(options));
}

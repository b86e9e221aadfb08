/** An emulator and a store on it, for one test. */
import { onTestFinished } from "vitest";
import { drive } from "../../../src/providers/drive/index.ts";
import type { DriveControl, DriveOptions } from "../../../src/providers/drive/index.ts";
import type { Layered, Store } from "../../../src/index.ts";
import { startDrive } from "../../servers/drive/index.ts";
import type { Asked, DriveOptions as ServerOptions, DriveServer } from "../../servers/drive/index.ts";
import { rawDrive } from "../../servers/drive/raw.ts";
import type { RawDrive } from "../../servers/drive/raw.ts";
import { authOf, small } from "./subject.ts";

export interface At {
  readonly server: DriveServer;
  readonly store: Store & Layered<"drive", DriveControl>;
  readonly raw: RawDrive;
  /** "METHOD /path" of all requests since the last call. */
  asked(): string[];
  /** Another store on the same service. */
  open(options?: Partial<DriveOptions>): Store & Layered<"drive", DriveControl>;
}

/** The store's root is the folder /here of My Drive. Strong unless the options say otherwise: the emulator's search does not lag by default. */
export async function at(options: Partial<DriveOptions> = {}, serverOptions: ServerOptions = {}): Promise<At> {
  const server = await startDrive(serverOptions);
  const stores: Store[] = [];
  onTestFinished(async () => {
    for (const store of stores) await store.close();
    await server[Symbol.asyncDispose]();
  });
  const open = (more: Partial<DriveOptions> = {}): At["store"] => {
    const store = drive({
      auth: authOf(server),
      rootUrl: server.url,
      tokenUrl: server.tokenUrl,
      folder: "/here",
      createRoot: true,
      settleMs: 0,
      indexTtlMs: 0,
      ...small,
      ...options,
      ...more,
    });
    stores.push(store);
    return store;
  };
  let seen = 0;
  return {
    server,
    store: open(),
    raw: rawDrive(server, "here"),
    open,
    asked() {
      const all = server.requests.slice(seen);
      seen = server.requests.length;
      return all.map(text);
    },
  };
}

export function text({ method, path, query }: Asked): string {
  const type = query.get("uploadType");
  return `${method} ${path
    .replace("/upload/drive/v3/", "upload/")
    .replace("/drive/v3/", "")
    .replace(/\/[\w-]{25,}/g, "/ID")}${type === undefined ? "" : ` ${type}`}${query.get("alt") === "media" ? " media" : ""}`;
}

export async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += size) yield bytes.subarray(from, from + size);
}

export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    bytes[i] = x >> 16;
  }
  return bytes;
}

/** Where a fetch goes. */
export function addressOf(input: string | URL | Request): string {
  return input instanceof Request ? input.url : input.toString();
}

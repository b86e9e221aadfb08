/** A store over an emulator of its own: `await using at = await dropboxAt(); at.store; at.server; at.account`. */
import { dropbox } from "../../../src/providers/dropbox/index.ts";
import type { DropboxOptions } from "../../../src/providers/dropbox/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { APP, startDropbox } from "../../servers/dropbox/index.ts";
import type { Account, DropboxServer } from "../../servers/dropbox/index.ts";

export interface At extends AsyncDisposable {
  readonly store: Store;
  readonly server: DropboxServer;
  readonly account: Account;
  /** Another store, of the same account unless the options say otherwise. */
  open(options?: Partial<DropboxOptions>): Store;
  /** What the emulator was asked since the last look. */
  asked(): string[];
}

export const withRefresh = (account: Account): Partial<DropboxOptions> => ({
  accessToken: undefined,
  refreshToken: account.refreshToken,
  clientId: APP.key,
  clientSecret: APP.secret,
});

export async function dropboxAt(options: Partial<DropboxOptions> | ((account: Account) => Partial<DropboxOptions>) = {}): Promise<At> {
  const server = await startDropbox();
  const account = server.account("ann");
  const stores: Store[] = [];
  const open = (more: Partial<DropboxOptions> = {}): Store => {
    const store = dropbox({ accessToken: account.accessToken, fetch: server.fetch(), random: () => 0.5, ...more });
    stores.push(store);
    return store;
  };
  return {
    store: open(typeof options === "function" ? options(account) : options),
    server,
    account,
    open,
    asked() {
      const routes = [...server.routes];
      server.clear();
      return routes;
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

export function bytes(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  for (let i = 0; i < size; i++) out[i] = i * 31 + (i >> 8) * seed;
  return out;
}

/** In chunks, of unknown size, once. */
export async function* stream(content: Uint8Array, chunk = 1 << 20): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += chunk) yield content.subarray(at, at + chunk);
}

export const MIB = 1 << 20;

/** A store on an emulator of its own, with an account of its own. */
import type { Control, Layered, Store } from "../../../src/index.ts";
import { sugarsync } from "../../../src/providers/sugarsync/index.ts";
import type { SugarSyncOptions } from "../../../src/providers/sugarsync/index.ts";
import { startSugarSync } from "../../servers/sugarsync/index.ts";
import type { SugarSync, SugarSyncOptions as ServerOptions } from "../../servers/sugarsync/index.ts";

export interface At extends AsyncDisposable {
  readonly server: SugarSync;
  readonly account: ReturnType<SugarSync["account"]>;
  readonly store: Store & Layered<"sugarsync", Control>;
  /** The same account by another connection: another program of the user's. */
  other(options?: Partial<SugarSyncOptions>): Store & Layered<"sugarsync", Control>;
}

export async function at(options: Partial<SugarSyncOptions> = {}, serverOptions: ServerOptions = {}): Promise<At> {
  const server = await startSugarSync(serverOptions);
  const account = server.account("ann@example.org");
  const { accessKeyId, privateAccessKey } = server.application;
  const stores: Store[] = [];
  const open = (more: Partial<SugarSyncOptions>): Store & Layered<"sugarsync", Control> => {
    const store = sugarsync({ url: server.url, accessKeyId, privateAccessKey, refreshToken: account.refreshToken, ...more });
    stores.push(store);
    return store;
  };
  return {
    server,
    account,
    store: open(options),
    other: (more = options) => open(more),
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
      await server[Symbol.asyncDispose]();
    },
  };
}

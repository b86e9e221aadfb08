/** The last step of starting any WebDAV server: wait until it lets its user in, then hand it over. */
import type { WebDavConnection, WebDavName, WebDavServer } from "./connection.ts";
import { control } from "./control.ts";
import { listens } from "./home.ts";
import type { Home, Started } from "./home.ts";
import { rawDav } from "./raw-dav.ts";

export interface WebDavOptions {
  /** How many bytes fit below `url`, to see what happens when the disk is full; default no bound. Takes root. */
  readonly diskBytes?: number;
}
export interface WebDavParts {
  readonly name: WebDavName;
  readonly password: string;
  readonly directory: string;
  /** Path of the collection in the URL; `/` when not given. */
  readonly path?: string;
  /** Path and directory behind digest authentication. */
  readonly digest?: { readonly path: string; readonly directory: string };
}

export async function webdavServer(home: Home, server: Started, parts: WebDavParts): Promise<WebDavServer> {
  const origin = `http://127.0.0.1:${home.port}`;
  const connection: WebDavConnection = {
    kind: "webdav",
    name: parts.name,
    url: `${origin}${parts.path ?? "/"}`,
    ...(parts.digest === undefined ? {} : { digestUrl: `${origin}${parts.digest.path}`, digestDirectory: parts.digest.directory }),
    username: "user",
    password: parts.password,
    directory: parts.directory,
    home: home.directory,
  };
  await home.ready("it listens", async () => listens(home.port), server);
  const { status } = await rawDav(connection).request("PROPFIND", "/", { depth: "0" });
  if (status !== 207) throw new Error(`${parts.name}: PROPFIND of the root answers ${status}`);
  return control(connection, home, [server]);
}

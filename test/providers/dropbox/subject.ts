/** The provider over the emulator, as the conformance suite wants it: an account of its own for each place. */
import type { SecondChannel, Subject } from "../../../src/conformance/index.ts";
import { dropbox } from "../../../src/providers/dropbox/index.ts";
import type { DropboxOptions } from "../../../src/providers/dropbox/index.ts";
import { APP, ledTo, startDropbox } from "../../servers/dropbox/index.ts";
import type { DropboxServer } from "../../servers/dropbox/index.ts";

/** `renewed`: by a refresh token, so that the first call obtains its access token. */
export async function dropboxSubject(more: Partial<Subject> = {}, options: Partial<DropboxOptions> = {}, renewed = false): Promise<Subject> {
  const server = await startDropbox();
  return {
    name: "dropbox",
    open: (place) =>
      dropbox({
        ...(renewed
          ? { refreshToken: server.account(place.id).refreshToken, clientId: APP.key, clientSecret: APP.secret }
          : { accessToken: server.account(place.id).accessToken }),
        fetch: server.fetch(place.fetch),
        clock: place.clock,
        random: place.random,
        ...options,
      }),
    unavailable: () => dropbox({ accessToken: "sl.nobody.forever", fetch: ledTo("http://127.0.0.1:1") }),
    raw: (place) => rawDropbox(server, server.account(place.id).accessToken, options.root ?? ""),
    // Temporary names of our own; an upload that was given up is seen by nobody and cannot be taken back.
    leftovers: async (place) => [...server.account(place.id).tree.nodes.keys()].filter((key) => /\/\.stratus-[0-9a-z]{20}\.tmp(?:\/|$)/.test(key)),
    wire: true,
    // docs/providers/dropbox.md has the same list.
    expectFail: [
      {
        check: "raw.names.quotes",
        reason: "Dropbox holds no backslash, so it is a token: other clients see a%{5C}b, and cannot make such a name themselves",
        until: "2027-12-31",
      },
    ],
    cost: { stat: 1, read: 1, write: 1, list: 1, delete: 2, mkdir: 1, copy: 1, move: 1 },
    ...more,
  };
}

/** The API by hand: no code of the provider's, and not the package's. */
function rawDropbox({ origin }: DropboxServer, token: string, root: string): SecondChannel {
  const ask = (host: string, route: string, args: unknown, body?: Uint8Array<ArrayBuffer>): Promise<Response> => {
    const json = JSON.stringify(args);
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (host === "api") headers["content-type"] = "application/json";
    else headers["dropbox-api-arg"] = json.replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
    if (body !== undefined) headers["content-type"] = "application/octet-stream";
    return fetch(`${origin}/${host}/2/${route}`, { method: "POST", headers, body: host === "api" ? json : (body ?? null) });
  };
  const good = async (response: Response): Promise<Response> => {
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return response;
  };
  return {
    async put(path, bytes) {
      await (await good(await ask("content", "files/upload", { path: root + path, mode: "overwrite" }, new Uint8Array(bytes)))).text();
    },
    async get(path) {
      const response = await ask("content", "files/download", { path: root + path });
      if (response.status === 409) {
        const text = await response.text();
        if (text.includes("path/not_found")) return undefined;
        throw new Error(text);
      }
      return new Uint8Array(await (await good(response)).arrayBuffer());
    },
    async list(dir) {
      const response = await good(await ask("api", "files/list_folder", { path: dir === "/" ? root : root + dir, limit: 2000 }));
      const { entries, has_more } = (await response.json()) as { entries: { name: string }[]; has_more: boolean };
      if (has_more) throw new Error("more than one page");
      return entries.map(({ name }) => name);
    },
    async [Symbol.asyncDispose]() {},
  };
}

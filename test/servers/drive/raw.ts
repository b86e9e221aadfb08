/** A second client of the same account, straight at the API: names as the user of the service sees them. */
import type { SecondChannel } from "../../../src/conformance/index.ts";
import type { DriveServer } from "./index.ts";

interface Raw {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
}
const FOLDER = "application/vnd.google-apps.folder";

export interface RawDrive extends SecondChannel {
  /** Names of everything below the folder that is not in the trash. */
  all(): string[];
  find(path: string): Promise<Raw | undefined>;
  ask(method: string, target: string, body?: object): Promise<any>;
}

export function rawDrive(server: DriveServer, folder: string): RawDrive {
  const token = server.oauth.issue();
  const headers = { authorization: `Bearer ${token}` };
  const ask = async (method: string, target: string, body?: object): Promise<any> => {
    const answer = await fetch(server.url + target, {
      method,
      headers: { ...headers, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${target}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const child = async (parent: string, name: string): Promise<Raw | undefined> => {
    const q = `'${parent}' in parents and name = '${name.replace(/[\\']/g, "\\$&")}' and trashed = false`;
    const { files } = (await ask("GET", `drive/v3/files?q=${encodeURIComponent(q)}&orderBy=${encodeURIComponent("folder,name,modifiedTime desc")}`)) as {
      files: Raw[];
    };
    return files.find((file) => file.name === name);
  };
  const segments = (path: string): string[] => [folder, ...path.split("/")].filter((name) => name !== "");
  const find = async (path: string): Promise<Raw | undefined> => {
    let at: Raw | undefined = { id: server.state.rootId, name: "", mimeType: FOLDER };
    for (const name of segments(path)) at = at === undefined ? undefined : await child(at.id, name);
    return at;
  };
  const make = async (path: string): Promise<string> => {
    let at = server.state.rootId;
    for (const name of segments(path))
      at = ((await child(at, name)) ?? (await ask("POST", "drive/v3/files", { name, mimeType: FOLDER, parents: [at] }))).id as string;
    return at;
  };
  return {
    ask,
    find,
    async put(path, bytes) {
      const there = await find(path);
      const id =
        there?.id ??
        ((await ask("POST", "drive/v3/files", { name: path.slice(path.lastIndexOf("/") + 1), parents: [await make(path.slice(0, path.lastIndexOf("/")))] }))
          .id as string);
      const answer = await fetch(`${server.url}upload/drive/v3/files/${id}?uploadType=media`, { method: "PATCH", headers, body: new Uint8Array(bytes) });
      if (!answer.ok) throw new Error(`put ${path}: ${answer.status}`);
      await answer.arrayBuffer();
    },
    async get(path) {
      const there = await find(path);
      if (there === undefined || there.mimeType === FOLDER) return undefined;
      const answer = await fetch(`${server.url}drive/v3/files/${there.id}?alt=media`, { headers });
      if (!answer.ok) throw new Error(`get ${path}: ${answer.status}`);
      return new Uint8Array(await answer.arrayBuffer());
    },
    async list(dir) {
      const there = await find(dir);
      if (there === undefined) return [];
      const names: string[] = [];
      for (let page = ""; ;) {
        const q = encodeURIComponent(`'${there.id}' in parents and trashed = false`);
        const { files, nextPageToken } = (await ask("GET", `drive/v3/files?pageSize=1000&q=${q}${page}&fields=nextPageToken,files(name)`)) as {
          files: Raw[];
          nextPageToken?: string;
        };
        names.push(...files.map(({ name }) => name));
        if (nextPageToken === undefined) return names;
        page = `&pageToken=${encodeURIComponent(nextPageToken)}`;
      }
    },
    all() {
      const { state } = server;
      const top = state.childrenOf(state.rootId).find((file) => file.name === folder);
      if (top === undefined || state.trashed(top)) return [];
      const names = [top.name];
      for (const folders = [top.id]; folders.length > 0;)
        for (const { id, name, explicitlyTrashed } of state.childrenOf(folders.pop() as string)) {
          if (explicitlyTrashed) continue;
          names.push(name);
          folders.push(id);
        }
      return names;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Google Drive: ours, and the package @googleapis/drive. Its user knows the ids of his folders, and looks a file up by its name in one of them. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { auth as authOf, drive as driveSdk } from "@googleapis/drive";
import type { drive_v3 } from "@googleapis/drive";
import { drive } from "../../src/providers/drive/index.ts";
import type { ContendersOf, Official } from "./contender.ts";

const FOLDER = "application/vnd.google-apps.folder";

export const driveContenders: ContendersOf = ({ fetch, keys }) => {
  const auth = new authOf.OAuth2();
  auth.setCredentials({ access_token: keys["token"] as string, expiry_date: Date.now() + 3_600_000 });
  return {
    name: "drive",
    open: () => drive({ auth: { token: keys["token"] as string }, fetch }),
    official: official(driveSdk({ version: "v3", auth, fetchImplementation: fetch })),
    signIn: null,
    // Its own ten requests a second are the real service's limit, not the emulator's.
    flags: ["--drive-pacer-min-sleep", "1ms"],
  };
};

function official({ files }: drive_v3.Drive): Official {
  const ids = new Map<string, Promise<string>>([["", Promise.resolve("root")]]);
  const split = (path: string): [parent: string, name: string] => [path.slice(0, path.lastIndexOf("/")), path.slice(path.lastIndexOf("/") + 1)];
  const searched = async (path: string, fields: string): Promise<readonly drive_v3.Schema$File[]> => {
    const [parent, name] = split(path);
    const q = `name = '${name}' and '${await folder(parent)}' in parents and trashed = false`;
    return (await files.list({ q, fields: `files(${fields})` })).data.files ?? [];
  };
  const found = async (path: string, fields = "id"): Promise<drive_v3.Schema$File> => {
    const [file] = await searched(path, fields);
    if (file === undefined) throw new Error(`${path} is not there`);
    return file;
  };
  const idOf = async (path: string): Promise<string> => (await found(path)).id as string;
  const folder = (path: string): Promise<string> => {
    const known = ids.get(path) ?? idOf(path);
    ids.set(path, known);
    return known;
  };
  const into = async (path: string): Promise<{ name: string; parents: string[] }> => {
    const [parent, name] = split(path);
    return { name, parents: [await folder(parent)] };
  };
  const count = async (stream: Readable): Promise<number> => {
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).byteLength;
    return bytes;
  };
  const download = async (path: string): Promise<number> =>
    count((await files.get({ fileId: await idOf(path), alt: "media" }, { responseType: "stream" })).data);
  const create = async (path: string, bytes: Buffer): Promise<unknown> =>
    files.create({ requestBody: await into(path), media: { body: Readable.from([bytes]) } });
  const replace = async (fileId: string, bytes: Buffer): Promise<unknown> => files.update({ fileId, media: { body: Readable.from([bytes]) } });
  return {
    name: "@googleapis/drive",
    stat: (path) => found(path, "id,name,size,modifiedTime,md5Checksum"),
    read: download,
    create,
    async createOnce(path, bytes) {
      const [there] = await searched(path, "id");
      return there === undefined ? create(path, bytes) : replace(there.id as string, bytes);
    },
    overwrite: async (path, bytes) => replace(await idOf(path), bytes),
    async list(path) {
      const all: unknown[] = [];
      const q = `'${await folder(path)}' in parents and trashed = false`;
      for (let pageToken: string | undefined; ;) {
        const page = { q, pageSize: 1000, fields: "nextPageToken,files(id,name,size,modifiedTime,md5Checksum)", ...(pageToken && { pageToken }) };
        const { data } = await files.list(page);
        all.push(...(data.files ?? []));
        pageToken = data.nextPageToken ?? undefined;
        if (pageToken === undefined) return all;
      }
    },
    mkdir: async (path) => files.create({ requestBody: { ...(await into(path)), mimeType: FOLDER } }),
    move: async (from, to) => files.update({ fileId: await idOf(from), requestBody: { name: split(to)[1] } }),
    copy: async (from, to) => files.copy({ fileId: await idOf(from), requestBody: await into(to) }),
    delete: async (path) => files.update({ fileId: await idOf(path), requestBody: { trashed: true } }),
    upload: async (file, path) => files.create({ requestBody: await into(path), media: { body: createReadStream(file, { highWaterMark: 1 << 20 }) } }),
    download,
  };
}

/** Dropbox: ours, and the package dropbox. */
import { open } from "node:fs/promises";
import { Dropbox } from "dropbox";
import { dropbox } from "../../src/providers/dropbox/index.ts";
import type { ContendersOf, Official } from "./contender.ts";

/** As in the package's own example of large uploads. */
const PIECE = 8 << 20;

export const dropboxContenders: ContendersOf = ({ fetch, keys }) => ({
  name: "dropbox",
  open: () => dropbox({ accessToken: keys["accessToken"], fetch }),
  official: official(new Dropbox({ accessToken: keys["accessToken"] as string, fetch })),
  signIn: null,
  flags: [],
});

function official(client: Dropbox): Official {
  // The service refuses whoever writes while another does, and the package does not wait: its user has to.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
  const download = async (path: string): Promise<number> => {
    const { result } = await client.filesDownload({ path });
    return (result as unknown as { readonly fileBinary: Buffer }).fileBinary.byteLength;
  };
  return {
    name: "dropbox package",
    stat: (path) => client.filesGetMetadata({ path }),
    read: download,
    create: (path, contents) => inTurn(() => client.filesUpload({ path, contents })),
    overwrite: (path, contents) => inTurn(() => client.filesUpload({ path, contents, mode: { ".tag": "overwrite" } })),
    async list(path) {
      let { result } = await client.filesListFolder({ path, limit: 2000 });
      const all = [...result.entries];
      while (result.has_more) {
        ({ result } = await client.filesListFolderContinue({ cursor: result.cursor }));
        all.push(...result.entries);
      }
      return all;
    },
    mkdir: (path) => inTurn(() => client.filesCreateFolderV2({ path })),
    move: (from, to) => inTurn(() => client.filesMoveV2({ from_path: from, to_path: to })),
    copy: (from, to) => inTurn(() => client.filesCopyV2({ from_path: from, to_path: to })),
    delete: (path) => inTurn(() => client.filesDeleteV2({ path })),
    async upload(file, path) {
      await using handle = await open(file);
      const { size } = await handle.stat();
      const piece = async (offset: number): Promise<Buffer> => {
        const bytes = Buffer.alloc(Math.min(PIECE, size - offset));
        await handle.read(bytes, 0, bytes.byteLength, offset);
        return bytes;
      };
      const { session_id } = (await client.filesUploadSessionStart({ contents: await piece(0) })).result;
      let offset = PIECE;
      for (; offset + PIECE < size; offset += PIECE) await client.filesUploadSessionAppendV2({ cursor: { session_id, offset }, contents: await piece(offset) });
      await client.filesUploadSessionFinish({ cursor: { session_id, offset }, commit: { path }, contents: await piece(offset) });
    },
    download,
  };
}

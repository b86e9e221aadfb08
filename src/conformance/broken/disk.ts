/**
 * A correct provider whose bytes lie in files, so that nothing of them is in the memory of the process: the base of bugs about memory.
 * Names, conditions and entries are those of the reference; what it stores for each file is a small token that names the file and its size.
 */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { calls } from "../../store/index.ts";
import type { Entry, Provider, ReadCall } from "../../store/index.ts";
import { referenceProvider } from "../model/reference.ts";
import type { ReferenceOptions } from "../model/reference.ts";

interface Token {
  readonly file: string;
  readonly size: number;
}

export function diskProvider(directory: string, options: ReferenceOptions): Provider & { readonly kind: "reference" } {
  const base = referenceProvider({
    ...options,
    capabilities: { ...options.capabilities, readRange: "emulated", readSuffix: "emulated", hashes: [], writeExpect: [] },
  });
  const tokenOf = async (call: ReadCall): Promise<{ readonly entry: Entry; readonly token: Token }> => {
    const { entry, body } = await base.read({ ...call, range: undefined });
    const token = JSON.parse(new TextDecoder().decode(body as Uint8Array)) as Token;
    return { entry: { ...entry, size: token.size }, token };
  };
  /** The same entry with the size of the file, not of its token. */
  const sized = async (entry: Entry): Promise<Entry> =>
    entry.kind === "directory" ? entry : { ...entry, size: (await tokenOf(calls.read(entry.path))).token.size };
  return {
    ...base,
    stat: async (call) => sized(await base.stat(call)),
    async read(call) {
      const { entry, token } = await tokenOf(call);
      return { entry, body: createReadStream(join(directory, token.file)) };
    },
    async write(call) {
      const file = randomUUID();
      const handle = await open(join(directory, file), "wx");
      let size = 0;
      try {
        await using stream = call.body.open();
        for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) {
          await handle.writev([chunk]);
          size += chunk.length;
        }
      } finally {
        await handle.close();
      }
      const { body } = calls.write(call.path, JSON.stringify({ file, size } satisfies Token));
      return sized(await base.write({ ...call, body, expect: undefined }));
    },
    async list(call) {
      const page = await base.list(call);
      return { ...page, entries: await Promise.all(page.entries.map(sized)) };
    },
    copy: async (call) => sized(await base.copy!(call)),
    move: async (call) => sized(await base.move!(call)),
  };
}

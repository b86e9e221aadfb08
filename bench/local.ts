/** (c) Local disk, beside node:fs used directly and OpenDAL's fs service. Nothing is flushed by any of them, so that code is measured and not the disk. */
import fs from "node:fs/promises";
import { createReadStream, createWriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Operator } from "opendal";
import { local } from "../src/providers/local/index.ts";
import type { FigureSet } from "./figure.ts";
import { figure, measure } from "./measure.ts";

const NODE = "node:fs";
const OPENDAL = "opendal fs";
const MIB = 1 << 20;
const BIG = 64 * MIB;
/** In flight, where many small files are concerned. */
const WIDTH = 16;

export const figures: FigureSet = {
  name: "local",
  async run(report) {
    const directory = await fs.mkdtemp(join(tmpdir(), "stratus-bench-"));
    const store = local({ directory, flush: false });
    const flushing = local({ directory, name: "flushing" });
    const opendal = new Operator("fs", { root: directory });
    try {
      const small = Buffer.alloc(4096, 7);
      const big = Buffer.alloc(BIG, 7);
      const at = (path: string): string => directory + path;
      await store.write("/dir/small", small);
      await store.write("/dir/big", big);
      for (let i = 0; i < 1000; i++) await store.write(`/list/file-${i}`, "");

      type Names = "stratus" | typeof NODE | typeof OPENDAL;
      const show = (name: string, rates: Readonly<Record<Names, number>>, options?: { readonly unit: string; readonly perCall: number }): void => {
        for (const against of [NODE, OPENDAL] as const) report(figure(name, rates, "stratus", against, options));
      };
      show(
        "stat",
        await measure({ stratus: () => store.stat("/dir/small"), [NODE]: () => fs.stat(at("/dir/small")), [OPENDAL]: () => opendal.stat("dir/small") }),
      );
      show(
        "stat, 16 in flight",
        await measure(
          { stratus: () => store.stat("/dir/small"), [NODE]: () => fs.stat(at("/dir/small")), [OPENDAL]: () => opendal.stat("dir/small") },
          { width: WIDTH },
        ),
      );
      const readers = {
        stratus: async () => (await store.read("/dir/small")).bytes(),
        [NODE]: () => fs.readFile(at("/dir/small")),
        [OPENDAL]: () => opendal.read("dir/small"),
      };
      show("read 4 KiB", await measure(readers));
      show("read 4 KiB, 16 in flight", await measure(readers, { width: WIDTH }));
      // Ours is written whole beside its target, given its time and renamed: node:fs and OpenDAL write in place, where a reader sees half a file.
      const writers = {
        stratus: (i: number) => store.write(`/dir/w${i % 100}`, small),
        [NODE]: (i: number) => fs.writeFile(at(`/dir/n${i % 100}`), small),
        [OPENDAL]: (i: number) => opendal.write(`dir/o${i % 100}`, small),
      };
      show("write 4 KiB", await measure(writers));
      show("write 4 KiB, 16 in flight", await measure(writers, { width: WIDTH }));
      const safe = await measure({
        stratus: (i) => flushing.write(`/dir/w${i % 100}`, small),
        [NODE]: async (i) => {
          await fs.writeFile(at(`/dir/t${i % 100}`), small, { flush: true });
          await fs.rename(at(`/dir/t${i % 100}`), at(`/dir/n${i % 100}`));
          const dir = await fs.open(at("/dir"));
          await dir.sync();
          await dir.close();
        },
      });
      report(figure("write 4 KiB, flushed, file and directory", safe, "stratus", NODE));
      show(
        "list of 1,000, with sizes and times",
        await measure(
          {
            stratus: () => store.list("/list").toArray(),
            [NODE]: async () => Promise.all((await fs.readdir(at("/list"))).map((name) => fs.stat(at(`/list/${name}`)))),
            [OPENDAL]: async () => Promise.all((await opendal.list("list/")).map((one) => opendal.stat(one.path()))),
          },
          { rounds: 9, roundMs: 100 },
        ),
      );
      const rate = { unit: "MiB/s", perCall: BIG / MIB };
      show(
        "read 64 MiB",
        await measure(
          {
            stratus: async () => drain(await store.read("/dir/big")),
            [NODE]: () => drain(createReadStream(at("/dir/big"), { highWaterMark: 256 << 10 })),
            [OPENDAL]: async () => drain((await opendal.reader("dir/big")).createReadStream()),
          },
          { rounds: 7, roundMs: 200 },
        ),
        rate,
      );
      show(
        "write 64 MiB, a stream",
        await measure(
          {
            stratus: () => store.write("/dir/wb", pieces(big), { size: BIG }),
            [NODE]: () => pipeline(Readable.from(pieces(big), { objectMode: false }), createWriteStream(at("/dir/nb"))),
            [OPENDAL]: async () => {
              const writer = await opendal.writer("dir/ob");
              for await (const piece of pieces(big)) await writer.write(piece);
              await writer.close();
            },
          },
          { rounds: 7, roundMs: 200 },
        ),
        rate,
      );
    } finally {
      await store.close();
      await flushing.close();
      await fs.rm(directory, { recursive: true, force: true });
    }
  },
};

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.byteLength;
  if (bytes !== BIG) throw new Error(`${bytes} bytes came instead of ${BIG}`);
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += 256 << 10) yield bytes.subarray(at, at + (256 << 10));
}

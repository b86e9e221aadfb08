/**
 * (d) WebDAV on an Apache of our own: small files with some calls in flight, 256 MiB up and down, beside the webdav package used directly and rclone.
 *
 * Ours does more for a call: a write looks at what the server made of it (which gives the entry), a read asks again whether it was one version.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuthType, createClient } from "webdav";
import { webdav } from "../src/providers/webdav/index.ts";
import { fromFile } from "../src/store/index.ts";
import { startServer } from "../test/servers/index.ts";
import type { FigureSet } from "./figure.ts";
import { figure, measure, median } from "./measure.ts";
import { rcloneToDav } from "./rclone.ts";

const WIDTH = 8;
const FILES = 128;
const SMALL = 4096;
const MiB = 1024 ** 2;
const LARGE = 256 * MiB;
const PACKAGE = "webdav package";

export const figures: FigureSet = {
  name: "webdav",
  async run(report) {
    await using apache = await startServer("apache");
    const { url, username, password } = apache;
    const directory = await mkdtemp(join(tmpdir(), "stratus-bench-webdav-"));
    await using store = webdav({ url: `${url}bench`, username, password, auth: "basic", server: "apache", createRoot: true });
    const httpAgent = new Agent({ keepAlive: true });
    const client = createClient(`${url}bench`, { authType: AuthType.Password, username, password, httpAgent });
    try {
      const body = Buffer.alloc(SMALL, 7);
      const name = (i: number): string => `/small/f${i % FILES}`;
      for (let i = 0; i < FILES; i++) await store.write(name(i), body);
      const whole = (bytes: number | null): void => {
        if (bytes !== SMALL) throw new Error(`${bytes} bytes instead of ${SMALL}`);
      };
      const options = { width: WIDTH, roundMs: 500, rounds: 6 };

      const stat = await measure(
        {
          ours: async (i) => whole((await store.stat(name(i))).size),
          [PACKAGE]: async (i) => whole(((await client.stat(name(i))) as { size: number }).size),
        },
        options,
      );
      report(figure(`stat, ${WIDTH} in flight`, stat, "ours", PACKAGE));

      const read = await measure(
        {
          ours: async (i) => whole((await (await store.read(name(i))).bytes()).byteLength),
          [PACKAGE]: async (i) => whole(((await client.getFileContents(name(i))) as Buffer).byteLength),
        },
        options,
      );
      report(figure(`read 4 KiB, ${WIDTH} in flight`, read, "ours", PACKAGE));

      const write = await measure(
        {
          ours: (i) => store.write(name(i), body),
          [PACKAGE]: (i) => client.putFileContents(name(i), body),
          // What a user has to write to know what was stored, which ours has done when it resolves.
          "webdav package and stat": async (i) => {
            await client.putFileContents(name(i), body);
            whole(((await client.stat(name(i))) as { size: number }).size);
          },
        },
        options,
      );
      report(figure(`write 4 KiB, ${WIDTH} in flight`, write, "ours", PACKAGE));
      report(figure(`write 4 KiB, ${WIDTH} in flight`, write, "ours", "webdav package and stat"));

      const list = await measure(
        {
          ours: async () => void (await store.list("/small").toArray()),
          [PACKAGE]: async () => void (await client.getDirectoryContents("/small")),
        },
        { width: 1, roundMs: 500, rounds: 6 },
      );
      report(figure(`list ${FILES}`, list, "ours", PACKAGE));

      const file = join(directory, "large");
      await fill(file, LARGE);
      const rclone = await rcloneToDav(apache);
      const up = await transfers({
        ours: async () => void (await store.write("/large/ours", await fromFile(file))),
        [PACKAGE]: async () => void (await client.putFileContents("/large/package", createReadStream(file, { highWaterMark: MiB }), { contentLength: LARGE })),
        rclone: async () => void (await rclone("copyto", file, "dav:bench/large/rclone")),
      });
      for (const against of [PACKAGE, "rclone"] as const) report(figure("256 MiB up", up, "ours", against, { unit: "MiB/s", perCall: LARGE / MiB }));

      const complete = (bytes: number): void => {
        if (bytes !== LARGE) throw new Error(`${bytes} bytes instead of ${LARGE}`);
      };
      const down = await transfers({
        ours: async () => {
          let bytes = 0;
          for await (const chunk of await store.read("/large/ours")) bytes += chunk.byteLength;
          complete(bytes);
        },
        [PACKAGE]: async () => {
          let bytes = 0;
          for await (const chunk of client.createReadStream("/large/ours") as unknown as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
          complete(bytes);
        },
        rclone: async () => complete(await rclone("cat", "dav:bench/large/ours")),
      });
      for (const against of [PACKAGE, "rclone"] as const) report(figure("256 MiB down", down, "ours", against, { unit: "MiB/s", perCall: LARGE / MiB }));
    } finally {
      httpAgent.destroy();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** Transfers per second of each: the median of interleaved rounds, the first of which warms up. */
async function transfers<N extends string>(contenders: Readonly<Record<N, () => Promise<void>>>): Promise<Readonly<Record<N, number>>> {
  const names = Object.keys(contenders) as N[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<N, number[]>;
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] as N;
      const start = performance.now();
      await contenders[name]();
      if (round > 0) rates[name].push(1000 / (performance.now() - start));
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(rates[name])])) as Record<N, number>;
}

async function fill(path: string, bytes: number): Promise<void> {
  await using file = await open(path, "wx");
  const chunk = Buffer.alloc(MiB);
  for (let i = 0; i < bytes / MiB; i++) await file.write(chunk.fill(i));
}

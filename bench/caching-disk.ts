/** (a) Reads from a warm cache, and (b) acknowledged writes, beside what a program does with files of its own. */
import { mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "../src/providers/memory/index.ts";
import { stack } from "../src/store/index.ts";
import { caching } from "../src/wrappers/index.ts";
import type { Figure } from "./figure.ts";
import { figure, measure } from "./measure.ts";

const FILES = 256;

export async function diskFigures(report: (figure: Figure) => void): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "stratus-bench-caching-"));
  try {
    await reads(directory, report);
    await writes(directory, report);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function reads(directory: string, report: (figure: Figure) => void): Promise<void> {
  await using store = stack(memory(), caching({ directory: join(directory, "warm"), freshMs: 3_600_000 }));
  for (const [name, size, files] of [
    ["4 KiB", 4096, FILES],
    ["1 MiB", 1 << 20, 32],
  ] as const) {
    const plain = join(directory, `plain-${size}`);
    await mkdir(plain);
    for (let i = 0; i < files; i++) {
      const bytes = Buffer.alloc(size, i);
      await store.write(`/${size}/${i}`, bytes);
      await writeFile(join(plain, `${i}`), bytes);
    }
    await store.layers.caching.flush();
    const whole = (bytes: Uint8Array, i: number): void => {
      if (bytes.byteLength !== size || bytes[size - 1] !== ((i % files) & 255)) throw new Error("these are not the bytes that were written");
    };
    const rates = await measure(
      {
        caching: async (i) => whole(await (await store.read(`/${size}/${i % files}`)).bytes(), i),
        "fs.promises.readFile": async (i) => whole(await readFile(join(plain, `${i % files}`)), i),
      },
      { roundMs: 200, rounds: 11 },
    );
    report(figure(`(a) read ${name}, warm`, rates, "caching", "fs.promises.readFile", { least: 1 }));
  }
}

async function writes(directory: string, report: (figure: Figure) => void): Promise<void> {
  const bytes = Buffer.alloc(4096, 7);
  const plain = join(directory, "by-hand");
  await mkdir(plain);
  await using store = stack(memory(), caching({ directory: join(directory, "cold") }));
  await store.open();
  // What is measured is the acknowledgement; sending belongs to others.
  await store.layers.caching.pause();
  let serial = 0;
  const byHand = async (i: number): Promise<void> => {
    const temporary = join(plain, `.${serial++}`);
    await using file = await open(temporary, "wx");
    await file.writeFile(bytes);
    await file.sync();
    await rename(temporary, join(plain, `${i % FILES}`));
  };
  for (const width of [1, 16]) {
    const rates = await measure(
      { caching: (i) => store.write(`/w/${i % FILES}`, bytes), "write + fsync + rename": byHand },
      { width, roundMs: 300, rounds: 11 },
    );
    report(
      figure(`(b) write 4 KiB acknowledged, ${width} ${width === 1 ? "writer" : "writers"}`, rates, "caching", "write + fsync + rename", { least: 1 / 1.5 }),
    );
  }
  await store.layers.caching.resume();
}

/** Small files per second at 16 in flight, and 256 MiB up and down: interleaved rounds, all through the same proxy and TLS to an emulator in another process. */
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromFile } from "../../src/store/index.ts";
import type { Figure } from "../figure.ts";
import { figure, median } from "../measure.ts";
import { scaled } from "../scale.ts";
import type { Contenders } from "./contender.ts";
import type { Service } from "./service.ts";

const WIDTH = 16;
const SMALL = 4096;
const MiB = 1024 ** 2;
/** The first does not count. */
const ROUNDS = 5;
/** So many calls of whatever runs in this process come before: a compiler needs some, and a program that is measured once would show that. */
const WARMING_CALLS = 600;
const WARMING = -1;
/** Why more requests for each of many files than rclone, where that stays. */
const WHY: Readonly<Record<string, string>> = {
  sugarsync: "it writes in place, where a reader may see half",
};
type Ways = Readonly<Record<string, (round: number) => Promise<void>>>;

export async function speedFigures(service: Service, contenders: Contenders, report: (figure: Figure) => void): Promise<void> {
  const { name, official, flags } = contenders;
  const { rclone, directory } = service;
  const many = ["--transfers", String(WIDTH), "--checkers", String(WIDTH), ...flags];
  await using store = contenders.open();
  const FILES = scaled(256, 16);
  const LARGE = scaled(256, 16) * MiB;
  const names = Array.from({ length: FILES }, (_, i) => `f${i}`);
  const body = Buffer.alloc(SMALL, 7);
  await mkdir(join(directory, "many"));
  for (const one of names) await writeFile(join(directory, "many", one), body);
  const bytesAre = (bytes: number, wanted: number): void => {
    if (bytes !== wanted) throw new Error(`${bytes} bytes instead of ${wanted}`);
  };
  const all = async (work: (file: string) => Promise<unknown>): Promise<void> => {
    const left = [...names];
    const worker = async (): Promise<void> => {
      for (let file = left.pop(); file !== undefined; file = left.pop()) await work(file);
    };
    await Promise.all(Array.from({ length: WIDTH }, worker));
  };
  const compared = (what: string, rates: Readonly<Record<string, number>>, unit: string, perCall: number): void => {
    for (const against of Object.keys(rates)) if (against !== "ours") report(figure(`${name}: ${what}`, rates, "ours", against, { least: 1, unit, perCall }));
  };

  const once = official?.createOnce;
  await store.mkdir("/many");
  const folder = async (who: string, round: number): Promise<string> => {
    const path = `/many/${who}${round}`;
    await store.mkdir(path);
    return path;
  };
  const up = await rounds(
    {
      ours: async (round) => all((file) => store.write(`/many/ours${round}/${file}`, body)),
      ...(official !== null && { [official.name]: async (round: number) => all((file) => official.create(`/many/official${round}/${file}`, body)) }),
      ...(once !== undefined && { [`${official?.name}, looking first`]: async (round: number) => all((file) => once(`/many/once${round}/${file}`, body)) }),
      rclone: async (round) => void (await rclone.text("copy", ...many, join(directory, "many"), `x:many/rclone${round}`)),
    },
    async (round) => {
      for (const who of ["ours", "official", "once", "rclone"]) await folder(who, round);
    },
    Math.ceil(WARMING_CALLS / FILES),
  );
  compared(`write 4 KiB, ${WIDTH} in flight`, up, "files/s", FILES);

  const perFile = async (work: () => Promise<unknown>): Promise<number> => {
    await service.asked();
    await work();
    return (await service.asked()).length / FILES;
  };
  await folder("counted", 0);
  const ours = await perFile(() => all((file) => store.write(`/many/counted0/${file}`, body)));
  const theirs = await perFile(() => rclone.text("copy", ...many, join(directory, "many"), "x:many/counted1"));
  report({
    name: `${name}: write 4 KiB, ${WIDTH} in flight`,
    value: ours,
    unit: "requests a file",
    against: `rclone ${theirs.toFixed(2)}`,
    ratio: ours / theirs,
    goal: ours <= theirs || WHY[name] === undefined ? "at most 1" : `at most 1; ${WHY[name]}`,
    met: ours <= theirs,
  });

  const down = await rounds(
    {
      ours: async () => all(async (file) => bytesAre((await (await store.read(`/many/ours0/${file}`)).bytes()).byteLength, SMALL)),
      ...(official !== null && { [official.name]: async () => all(async (file) => bytesAre(await official.read(`/many/ours0/${file}`), SMALL)) }),
      rclone: async (round) => void (await rclone.text("copy", ...many, "x:many/ours0", join(directory, `back${round}`))),
    },
    undefined,
    Math.ceil(WARMING_CALLS / FILES),
  );
  compared(`read 4 KiB, ${WIDTH} in flight`, down, "files/s", FILES);

  const file = join(directory, "large");
  await fill(file, LARGE);
  await store.mkdir("/large");
  const size = `${LARGE / MiB} MiB`;
  const sent = await rounds({
    ours: async (round) => void (await store.write(`/large/ours${round}`, await fromFile(file))),
    ...(official !== null && { [official.name]: async (round: number) => void (await official.upload(file, `/large/official${round}`)) }),
    rclone: async (round) => void (await rclone.text("copyto", ...flags, file, `x:large/rclone${round}`)),
  });
  compared(`${size} up`, sent, "MiB/s", LARGE / MiB);

  const received = await rounds({
    async ours() {
      let bytes = 0;
      for await (const chunk of await store.read("/large/ours0")) bytes += chunk.byteLength;
      bytesAre(bytes, LARGE);
    },
    ...(official !== null && { [official.name]: async () => bytesAre(await official.download("/large/ours0"), LARGE) }),
    rclone: async () => bytesAre(await rclone.bytes("cat", ...flags, "x:large/ours0"), LARGE),
  });
  compared(`${size} down`, received, "MiB/s", LARGE / MiB);
}

/** Of each, how often a second it could be done: the median of interleaved rounds. `before` is not timed; `warming`: how often those of this process run before. */
async function rounds(ways: Ways, before: (round: number) => Promise<void> = async () => {}, warming = 0): Promise<Readonly<Record<string, number>>> {
  const names = Object.keys(ways);
  if (warming > 0) await before(WARMING);
  for (let i = 0; i < warming; i++) for (const name of names) if (name !== "rclone") await ways[name]?.(WARMING);
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    await before(round);
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] as string;
      const start = performance.now();
      await ways[name]?.(round);
      if (round > 0) rates[name]?.push(1000 / (performance.now() - start));
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(rates[name] as number[])]));
}

async function fill(path: string, bytes: number): Promise<void> {
  await using file = await open(path, "wx");
  const chunk = Buffer.alloc(MiB);
  for (let i = 0; i < bytes / MiB; i++) await file.write(chunk.fill(i));
}

/**
 * Requests per operation, counted by the emulator. Ours in a store that has asked for nothing yet, and rclone in a process of its own, both two folders deep;
 * sign-in left out. A store that is in use remembers folders for a while and asks less, which stands beside where it differs.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../../src/store/index.ts";
import type { Figure } from "../figure.ts";
import type { Contenders, Official } from "./contender.ts";
import type { Service } from "./service.ts";

const TOP = "/counted/dir";
/** A slash at the beginning costs rclone requests that nobody needs. */
const REMOTE = "x:counted/dir";
const body = Buffer.alloc(4096, 7);

interface Operation {
  readonly name: string;
  /** `n`: another one each time it is done. */
  ours(store: Store, n: number): Promise<unknown>;
  official(client: Official, n: number): Promise<unknown>;
  /** The arguments of rclone. */
  rclone(n: number): readonly string[];
  /** Why more than rclone, where that is known and stays. */
  readonly why?: Partial<Record<Contenders["name"], string>>;
}

const operations = (local: string): readonly Operation[] => [
  {
    name: "stat",
    ours: (store) => store.stat(`${TOP}/f`),
    official: (client) => client.stat(`${TOP}/f`),
    rclone: () => ["lsjson", "--stat", `${REMOTE}/f`],
  },
  {
    name: "read 4 KiB",
    ours: async (store) => (await store.read(`${TOP}/f`)).bytes(),
    official: (client) => client.read(`${TOP}/f`),
    rclone: () => ["cat", `${REMOTE}/f`],
  },
  {
    name: "write 4 KiB, new",
    ours: (store, n) => store.write(`${TOP}/new${n}`, body),
    official: (client, n) => client.create(`${TOP}/new${n}`, body),
    rclone: (n) => ["copyto", local, `${REMOTE}/new${n}`],
  },
  {
    name: "overwrite 4 KiB",
    ours: (store, n) => store.write(`${TOP}/f`, Buffer.alloc(4096, n)),
    official: (client, n) => client.overwrite(`${TOP}/f`, Buffer.alloc(4096, n)),
    rclone: () => ["copyto", "--ignore-times", local, `${REMOTE}/f`],
    why: { sugarsync: "it overwrites in place, where a reader may see half" },
  },
  {
    name: "list 1,000",
    ours: (store) => store.list("/counted/list").toArray(),
    official: (client) => client.list("/counted/list"),
    rclone: () => ["lsjson", "x:counted/list"],
    why: { sugarsync: "its pages do not overlap, so it may miss entries" },
  },
  {
    name: "mkdir",
    ours: (store, n) => store.mkdir(`${TOP}/made${n}`),
    official: (client, n) => client.mkdir(`${TOP}/made${n}`),
    rclone: (n) => ["mkdir", `${REMOTE}/made${n}`],
  },
  {
    name: "move file",
    ours: (store, n) => store.move(`${TOP}/move${n}`, `${TOP}/moved${n}`),
    official: (client, n) => client.move(`${TOP}/move${n}`, `${TOP}/moved${n}`),
    rclone: (n) => ["moveto", `${REMOTE}/move${n}`, `${REMOTE}/moved${n}`],
  },
  {
    name: "copy file",
    ours: (store, n) => store.copy(`${TOP}/f`, `${TOP}/copied${n}`),
    official: (client, n) => client.copy(`${TOP}/f`, `${TOP}/copied${n}`),
    rclone: (n) => ["copyto", `${REMOTE}/f`, `${REMOTE}/copied${n}`],
  },
  {
    name: "delete file",
    ours: (store, n) => store.delete(`${TOP}/delete${n}`),
    official: (client, n) => client.delete(`${TOP}/delete${n}`),
    rclone: (n) => ["deletefile", `${REMOTE}/delete${n}`],
  },
  {
    name: "delete tree",
    ours: (store, n) => store.delete(`${TOP}/tree${n}`, { recursive: true }),
    official: (client, n) => client.delete(`${TOP}/tree${n}`),
    rclone: (n) => ["purge", `${REMOTE}/tree${n}`],
  },
];

/** Four of what is used up: a fresh store, one in use, rclone and the package. */
async function fill(store: Store): Promise<void> {
  const names = ["f", ...[1, 2, 3, 4].flatMap((n) => [`move${n}`, `delete${n}`, `tree${n}/a`, `tree${n}/sub/b`])];
  for (const name of names) await store.write(`${TOP}/${name}`, body);
  const list = Array.from({ length: 1000 }, (_, i) => `/counted/list/f${i}`);
  await store.write(list.pop() as string, body);
  const worker = async (): Promise<void> => {
    for (let path = list.pop(); path !== undefined; path = list.pop()) await store.write(path, body);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

export async function requestFigures(service: Service, contenders: Contenders, report: (figure: Figure) => void): Promise<void> {
  const { name, official, signIn } = contenders;
  const local = join(service.directory, "small");
  await writeFile(local, body);
  await using used = contenders.open();
  await fill(used);
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    await service.asked();
    await work();
    return (await service.asked()).filter((line) => signIn?.test(line) !== true).length;
  };
  for (const operation of operations(local)) {
    await using fresh = contenders.open();
    const ours = await count(() => operation.ours(fresh, 1));
    for (const path of [`${TOP}/f`, "/counted/list"]) await used.stat(path);
    const again = await count(() => operation.ours(used, 2));
    const rclone = await count(() => service.rclone.text(...operation.rclone(3)));
    const met = ours <= rclone;
    const why = operation.why?.[name];
    const goal = met || why === undefined ? "at most 1" : `at most 1; ${why}`;
    const figure = { name: `${name}: ${operation.name}`, value: ours, unit: again >= ours ? "requests" : `requests (${again} where folders are known)` };
    report({ ...figure, against: `rclone ${rclone}`, ratio: ours / rclone, goal, met });
    if (official === null) continue;
    const theirs = await count(() => operation.official(official, 4));
    report({ ...figure, against: `${official.name} ${theirs}`, ratio: ours / theirs, goal: null, met: null });
  }
}

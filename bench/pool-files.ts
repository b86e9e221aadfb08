/** 10,000 small files through the pool onto a local disk, beside `rclone copy` onto the same disk. The pool flushes each file and its name into its cache before it acknowledges; rclone flushes nothing. */
import { spawn } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Pool, sqliteCatalogue } from "../src/pool/index.ts";
import { local } from "../src/providers/local/index.ts";
import type { Figure } from "./figure.ts";
import { scaled } from "./scale.ts";

export async function smallFiles(report: (figure: Figure) => void, base: string): Promise<void> {
  const count = scaled(10_000, 200);
  const source = join(base, "source");
  for (const name of ["source", "host", "rclone"]) await mkdir(join(base, name), { recursive: true });
  for (let n = 0; n < count; n++) await writeFile(join(source, `f${n}`), `small file ${n} `.repeat(100));
  const names = (await readdir(source)).map((name) => join(source, name));
  const start = performance.now();
  {
    const hosts = { host: local({ directory: join(base, "host"), name: "host", flush: false }) };
    const catalogue = sqliteCatalogue({ file: join(base, "small.db"), flush: false });
    await using pool = await Pool.open({ catalogue, directory: join(base, "small"), capacityBytes: 1e9, hosts, copies: 1, maxTransfers: 8 });
    const line = names.values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const file of line) await pool.upload(await readFile(file));
      }),
    );
    const done = await pool.sync();
    if (done.complete !== count) throw new Error(`${done.complete} of ${count} files arrived`);
  }
  const ours = count / ((performance.now() - start) / 1000);
  const value = {
    name: `${count.toLocaleString("en-US")} small files through a flushed cache and catalogue to one host`,
    value: ours,
    unit: "files/s",
    goal: null,
    met: null,
  };
  for (const [against, command, args] of [
    ["rclone copy", "rclone", ["copy", "--transfers", "8", "--config", "/dev/null", source, join(base, "rclone")]],
  ] as const) {
    const seconds = await timed(command, args);
    report(
      seconds === undefined ? { ...value, against: `${against}: not on this machine`, ratio: NaN } : { ...value, against, ratio: ours / (count / seconds) },
    );
  }
}

/** Undefined where there is no such program. */
function timed(command: string, args: readonly string[]): Promise<number | undefined> {
  return new Promise((done, fail) => {
    const start = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
    child.on("error", (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? done(undefined) : fail(error)));
    child.on("close", (code) => (code === 0 ? done((performance.now() - start) / 1000) : fail(new Error(`${command} ended with ${code}`))));
  });
}

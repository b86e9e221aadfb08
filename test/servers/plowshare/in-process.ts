/**
 * What the stand-in commands do when nothing goes wrong, without a process: for the full tier of the suite, which makes tens of thousands of calls. It keeps the same
 * directories as they do. Everything that a command can do wrong is tested with processes.
 */
import { randomBytes } from "node:crypto";
import { copyFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Ended, Run, Runner } from "../../../src/providers/plowshare/process.ts";

/** Over the hosts that `fileHosts(root, ...)` made. */
export function inProcess(root: string): Runner {
  return async (run) => {
    if (isAborted(run)) return ended({ stopped: "signal" });
    const answer = await COMMANDS[basename(run.file)]?.(root, run);
    // Killed in the middle: what it printed is lost.
    if (isAborted(run)) return ended({ stopped: "signal" });
    return answer ?? ended({ code: 127 });
  };
}

const COMMANDS: Readonly<Record<string, (root: string, run: Run) => Promise<Ended>>> = {
  async plowup(root, { args, cwd }) {
    const [host = "", name = ""] = args.slice(-2);
    const file = join(cwd, name);
    // Skipped.
    if ((await stat(file)).size === 0) return ended({ code: 0 });
    const id = randomBytes(8).toString("hex");
    const code = String(randomBytes(3).readUIntBE(0, 3));
    await copyFile(file, join(root, host, "files", id));
    await writeFile(join(root, host, "meta", id), `${name}\n${code}\nadm\n\n`);
    return ended({ code: 0, stdout: `@stratus\thttp://${host}.host.invalid/f/${id}/${name}\thttp://${host}.host.invalid/d/${id}/${code}\tadm-${id}\n` });
  },
  async plowdown(root, { args, cwd }) {
    const found = await lookUp(root, args);
    if (found === undefined) return ended({ code: 13 });
    await copyFile(found.file, join(cwd, found.name));
    return ended({ code: 0, stdout: `@stratus\thttp://cdn.invalid/${found.name}\n` });
  },
  async plowdel(root, { args }) {
    const found = await lookUp(root, args);
    if (found === undefined) return ended({ code: 13 });
    if (!String(args.at(-1)).endsWith(`/${found.code}`)) return ended({ code: 12 });
    await rm(found.file);
    await rm(found.meta);
    return ended({ code: 0 });
  },
  async plowprobe(root, { args }) {
    const found = await lookUp(root, args);
    if (found === undefined) return ended({ code: 13 });
    return ended({ code: 0, stdout: `@stratus\t0\t${(await stat(found.file)).size}\t\t${found.name}\n` });
  },
};

async function lookUp(
  root: string,
  args: readonly string[],
): Promise<{ readonly file: string; readonly meta: string; readonly name: string; readonly code: string } | undefined> {
  const [, host = "", id = ""] = /^http:\/\/(\w+)\.host\.invalid\/[fd]\/(\w+)/.exec(String(args.at(-1))) ?? [];
  const meta = join(root, host, "meta", id);
  const text = await readFile(meta, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const [name = "", code = ""] = text.split("\n");
  return { file: join(root, host, "files", id), meta, name, code };
}

function isAborted({ signal }: Run): boolean {
  return signal?.aborted === true;
}

function ended(facts: Partial<Ended>): Ended {
  return { code: null, stopped: null, stdout: "", stderr: "", ...facts };
}

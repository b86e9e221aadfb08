/** Tar programs that unpack and list an archive: what they make of names, times and bytes, as bytes. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readdirSync, statSync } from "node:fs";
import { which } from "../../../servers/requirements.ts";
import type { RequirementName } from "../../../servers/requirements.ts";

export interface TarProgram {
  readonly name: string;
  readonly needs: RequirementName;
  /** Unpacks `file` into `directory`. @throws Error with what the program said */
  unpack(file: string, directory: string): void;
  /** Names and sizes, without unpacking. Left out where the program lists only what it can seek in. */
  readonly list?: (file: string) => readonly Listed[];
}
export interface Listed {
  readonly name: string;
  readonly size: number;
}

/** What a program says on stderr although all is well: a record and a time that it warns of. */
const WARNINGS = /^\S*tar: (?:Ignoring unknown extended header keyword 'hdrcharset'|\S+: (?:implausibly old time stamp|time stamp) .*)$/;

function run(program: string, args: readonly string[], input?: number): string {
  const path = which(program);
  if (path === undefined) throw new Error(`no ${program}`);
  const done = spawnSync(path, args, {
    stdio: [input ?? "ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 26,
    env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC", PYTHONUTF8: "1" },
  });
  const said = done.stderr.split("\n").filter((line) => line !== "" && !WARNINGS.test(line));
  if (done.status !== 0 || said.length > 0) throw new Error(`${program} ${args.join(" ")}: ${done.status ?? done.signal}: ${said.join("\n")}`);
  return done.stdout;
}

function piped(program: string, args: readonly string[], file: string): void {
  const input = openSync(file, "r");
  try {
    run(program, args, input);
  } finally {
    closeSync(input);
  }
}

/** Names and sizes as JSON, one a line: no program quotes a newline in the same way. */
const pythonList = `
import json, sys, tarfile
for member in tarfile.open(sys.argv[1], "r:"):
    print(json.dumps([member.name + ("/" if member.isdir() else ""), member.size]))
`;
const pythonUnpack = `
import sys, tarfile
with tarfile.open(sys.argv[1] if sys.argv[3] == "r:" else None, sys.argv[3], fileobj=None if sys.argv[3] == "r:" else sys.stdin.buffer) as tar:
    tar.extractall(sys.argv[2], filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(sys.argv[2])
`;

/** `tar -tv` of GNU tar and bsdtar: names without anything to quote. */
function verbose(text: string, line: RegExp): Listed[] {
  return text
    .split("\n")
    .filter((row) => row !== "")
    .map((row) => {
      const found = line.exec(row);
      if (found === null) throw new Error(`an unknown line of a listing: ${row}`);
      const { name, size } = found.groups as Record<string, string>;
      return { name: name!, size: Number(size) };
    });
}

export const tarPrograms: readonly TarProgram[] = [
  {
    name: "GNU tar",
    needs: "gnu-tar",
    unpack: (file, directory) => void run("tar", ["-xf", file, "-C", directory]),
    list: (file) => verbose(run("tar", ["-tvf", file, "--full-time", "--utc", "--quoting-style=literal"]), /^\S+ +\S+ +(?<size>\d+) \S+ \S+ (?<name>.*)$/),
  },
  {
    name: "GNU tar from a pipe",
    needs: "gnu-tar",
    unpack: (file, directory) => piped("tar", ["-x", "-f", "-", "-C", directory], file),
  },
  {
    name: "bsdtar",
    needs: "bsdtar",
    unpack: (file, directory) => void run("bsdtar", ["-xf", file, "-C", directory]),
    list: (file) => verbose(run("bsdtar", ["-tvf", file]), /^\S+ +\d+ \S+ +\S+ +(?<size>\d+) \S+ +\S+ +\S+ (?<name>.*)$/),
  },
  {
    name: "bsdtar from a pipe",
    needs: "bsdtar",
    unpack: (file, directory) => piped("bsdtar", ["-x", "-f", "-", "-C", directory], file),
  },
  {
    name: "Python tarfile",
    needs: "python",
    unpack: (file, directory) => void run("python3", ["-c", pythonUnpack, file, directory, "r:"]),
    list: (file) =>
      run("python3", ["-c", pythonList, file])
        .split("\n")
        .filter((row) => row !== "")
        .map((row) => JSON.parse(row) as [string, number])
        .map(([name, size]) => ({ name, size })),
  },
  {
    name: "Python tarfile from a pipe",
    needs: "python",
    unpack: (file, directory) => piped("python3", ["-c", pythonUnpack, file, directory, "r|"], file),
  },
];

export interface Unpacked {
  readonly kind: "file" | "directory";
  readonly bytes: Buffer;
  readonly seconds: number;
}

/** Everything below a directory, by path from it. Names are what the disk has, so a name in another Unicode form is another name. */
export function unpackedTree(directory: string, prefix = ""): Map<string, Unpacked> {
  const out = new Map<string, Unpacked>();
  for (const raw of readdirSync(directory, { encoding: "buffer" })) {
    const path = Buffer.concat([Buffer.from(`${directory}/`), raw]);
    const name = `${prefix}${raw.toString("utf8")}`;
    const found = statSync(path, { bigint: true });
    // Also for times before 1970: BigInt division cuts towards zero.
    const seconds = Math.floor(Number(found.mtimeNs / 1_000_000n) / 1000);
    if (found.isDirectory()) {
      out.set(name, { kind: "directory", bytes: Buffer.alloc(0), seconds });
      for (const [below, each] of unpackedTree(path.toString("utf8"), `${name}/`)) out.set(below, each);
    } else out.set(name, { kind: "file", bytes: readFileSync(path), seconds });
  }
  return out;
}

/** Does an unpacked tree hold what the manifest says? */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArchive } from "../independent/read.ts";
import { unpackedTree } from "./programs.ts";
import type { TarProgram } from "./programs.ts";

/** Differences between an archive and what `program` unpacks from it, one line each; empty when they agree. */
export function disagreements(program: TarProgram, name: string, bytes: Uint8Array): string[] {
  const { lines, head } = readArchive(name, bytes);
  const scratch = mkdtempSync(join(tmpdir(), "stratus-interop-"));
  try {
    const file = join(scratch, "archive.tar");
    writeFileSync(file, bytes);
    const target = mkdtempSync(join(scratch, "out-"));
    program.unpack(file, target);
    const tree = unpackedTree(target);
    const faults: string[] = [];
    const expected = new Set([".stratus", `.stratus/${head.id}.jsonl.gz`, `.stratus/${head.id}.json`]);
    for (const line of lines) {
      if (line.kind !== "f" && line.kind !== "d") continue;
      const path = line.path.slice(1);
      for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) expected.add(path.slice(0, slash));
      expected.add(path);
      const found = tree.get(path);
      if (found === undefined) {
        faults.push(`absent: ${JSON.stringify(path)}`);
        continue;
      }
      if (found.kind !== (line.kind === "f" ? "file" : "directory")) faults.push(`${JSON.stringify(path)} is a ${found.kind}`);
      if (line.kind === "f") {
        const content = Buffer.from(bytes.buffer, bytes.byteOffset + line.offset, line.size);
        if (!found.bytes.equals(content)) faults.push(`other bytes: ${JSON.stringify(path)}`);
        const seconds = Math.floor(line.modifiedMs / 1000);
        if (found.seconds !== seconds) faults.push(`time of ${JSON.stringify(path)}: ${found.seconds} and not ${seconds}`);
      }
    }
    for (const path of tree.keys()) if (!expected.has(path)) faults.push(`nobody wrote ${JSON.stringify(path)}`);
    return faults;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

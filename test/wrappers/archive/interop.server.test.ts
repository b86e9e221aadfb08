/** Any tar program unpacks an archive without this library (promise P6): names, times, bytes. Also kills M81. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { notProvedBy } from "../../servers/shared.ts";
import { memberHeader } from "./independent/tar.ts";
import { archiveId, writeArchive } from "./independent/write.ts";
import { disagreements } from "./interop/agree.ts";
import { awkwardMembers, linesOnly } from "./interop/members.ts";
import { tarPrograms } from "./interop/programs.ts";

const writer = "k7m2p5qxab";
const time = 1_700_000_000_456;

const absent = new Map([...new Set(tarPrograms.map(({ needs }) => needs))].map((needs) => [needs, notProvedBy(needs, `archives unpacked by ${needs}`)]));

describe.each(tarPrograms)("$name", (program) => {
  const why = absent.get(program.needs);

  test.skipIf(why !== undefined)("unpacks awkward names, times and sizes as the manifest has them", () => {
    const id = archiveId(time, writer, 7);
    const { name, bytes } = writeArchive({ id, writer, time }, [...awkwardMembers(), ...linesOnly(writer, time, id)]);
    expect(disagreements(program, name, bytes)).toEqual([]);
  });

  if (program.list === undefined) return; // From a pipe it would read nine gibibytes.
  const list = program.list;
  test.skipIf(why !== undefined)("lists a member of 9 GiB and finds the one after it", () => {
    const directory = mkdtempSync(join(tmpdir(), "stratus-huge-"));
    try {
      const file = join(directory, "huge.tar");
      const size = 9 * 2 ** 30 + 5;
      const huge = memberHeader({ name: "huge", size, modifiedMs: time, type: "0" });
      const small = memberHeader({ name: "after-ä", size: 3, modifiedMs: time, type: "0" });
      const end = huge.length + Math.ceil(size / 512) * 512;
      const handle = openSync(file, "w");
      writeSync(handle, huge, 0, huge.length, 0);
      ftruncateSync(handle, end + small.length + 512 + 1024); // A hole: nothing of it takes room on the disk.
      writeSync(handle, small, 0, small.length, end);
      closeSync(handle);
      expect(list(file)).toEqual([
        { name: "huge", size },
        { name: "after-ä", size: 3 },
      ]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

/** Any tar program unpacks an archive without this library (promise P6): names, times, bytes. Also kills M81. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { borrow, nameOf, stack } from "../../../src/store/index.ts";
import { archive } from "../../../src/wrappers/index.ts";
import { notProvedBy } from "../../servers/shared.ts";
import { memberHeader } from "./independent/tar.ts";
import { archiveId, writeArchive } from "./independent/write.ts";
import type { DirectoryMember, FileMember } from "./independent/write.ts";
import { disagreements } from "./interop/agree.ts";
import { awkwardMembers, linesOnly } from "./interop/members.ts";
import { tarPrograms } from "./interop/programs.ts";

const writer = "k7m2p5qxab";
const time = 1_700_000_000_456;

/** The same members, written through the layer: small ones in groups, large ones alone. */
async function archivesOf(members: readonly (FileMember | DirectoryMember)[]): Promise<[string, Uint8Array][]> {
  const directory = mkdtempSync(join(tmpdir(), "stratus-interop-index-"));
  const inner = memory();
  const store = stack(borrow(inner), archive({ directory, maxDelayMs: 0, smallBytes: 1023 }));
  try {
    // A path is a file or a directory, not both.
    await Promise.all(
      members.map((member) =>
        member.kind === "directory" ? store.mkdir(member.path, { existOk: true }) : store.write(member.path, member.body, { modifiedMs: member.modifiedMs }),
      ),
    );
    const objects = await inner.list("/.stratus-archive").toArray();
    return await Promise.all(objects.map(async ({ path }): Promise<[string, Uint8Array]> => [nameOf(path), await (await inner.read(path)).bytes()]));
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const absent = new Map([...new Set(tarPrograms.map(({ needs }) => needs))].map((needs) => [needs, notProvedBy(needs, `archives unpacked by ${needs}`)]));

describe.each(tarPrograms)("$name", (program) => {
  const why = absent.get(program.needs);

  test.skipIf(why !== undefined)("unpacks awkward names, times and sizes as the manifest has them", () => {
    const id = archiveId(time, writer, 7);
    const { name, bytes } = writeArchive({ id, writer, time }, [...awkwardMembers(), ...linesOnly(writer, time, id)]);
    expect(disagreements(program, name, bytes)).toEqual([]);
  });

  test.skipIf(why !== undefined)("unpacks what the layer wrote", async () => {
    const written = await archivesOf(awkwardMembers());
    expect(written.length).toBeGreaterThan(3);
    for (const [name, bytes] of written) expect(disagreements(program, name, bytes), name).toEqual([]);
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

/** Every kind of body gives the same file (behaviours 38 to 42). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromFile } from "../../store/index.ts";
import { equal, pattern, rejects } from "../assert.ts";
import type { Check } from "../check.ts";
import { base, room, stats } from "./base.ts";
import { each } from "./each.ts";
import { holds, lists, put, rw, rwl } from "./look.ts";
import { kinds } from "./bodies-help.ts";

export const checks: readonly Check[] = [
  {
    id: "bodies.kinds",
    title: "every kind of body is stored with the same bytes",
    why: 'A Node stream where fetch wants a web stream, a Blob sent as "[object Blob]", a view sent with the whole buffer around it: each kind has its own way to be wrong.',
    tier: "smoke",
    behaviours: [41, 42],
    guarantees: ["body.kinds", "read.whole"],
    rows: ["CF5"],
    kills: ["A15", "A15b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const bytes = pattern(4321, "kinds");
      const all = Object.entries(kinds(bytes)).filter(([, kind]) => kind.known || t.capabilities.writeUnknownSize !== false);
      await each(
        t,
        all,
        ([name]) => name,
        async ([, kind], index) => {
          const path = `${d}/x/k${index}`;
          await t.store.write(path, kind.body());
          await holds(t, path, bytes, "the bytes of the body");
          await stats(t, path, (entry) => equal(entry.size, bytes.length, "their number"));
        },
      );
      await each(
        t,
        all,
        ([name]) => `${name}, size given`,
        async ([, kind], index) => {
          const path = `${d}/y/k${index}`;
          await t.store.write(path, kind.body(), { size: bytes.length });
          await holds(t, path, bytes, "the bytes of the body");
        },
      );
    },
  },
  {
    id: "bodies.string",
    title: "a string is stored as UTF-8, whatever it looks like, and never taken for a file name",
    why: "Latin-1 is the default of old interfaces, and a helper that opens a string as a local path uploads /etc/passwd.",
    tier: "smoke",
    behaviours: [38, 41],
    guarantees: ["body.kinds", "read.forms"],
    kills: ["A43", "M14b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const texts = ["plain", "äöü €", "日本語", "😀👩‍👩‍👧", "\ufeffwith a mark", "a\u0000b", "/etc/passwd", "file:///etc/passwd", '{"a":1}', "line\r\nline\n"];
      for (const [index, text] of texts.entries()) {
        await put(t, `${d}/x/s${index}`, text);
        await holds(t, `${d}/x/s${index}`, new TextEncoder().encode(text), `the UTF-8 of ${JSON.stringify(text)}`);
        await using result = await t.store.read(`${d}/x/s${index}`);
        equal(await result.text(), text, "text() gives the same string, a byte order mark included");
      }
    },
  },
  {
    id: "bodies.file",
    title: "a local file is a body: its bytes, its size, and refused when its length changes on the way",
    why: "A log that grows while it is uploaded gives a file that never existed, or an upload that waits for bytes that do not come.",
    tier: "full",
    behaviours: [39, 40, 41],
    guarantees: ["body.kinds", "write.size"],
    rows: ["CF4"],
    kills: ["A16"],
    needs: rwl,
    async run(t) {
      const d = await base(t);
      const dir = await mkdtemp(join(tmpdir(), "stratus-check-"));
      try {
        const local = join(dir, "local name.bin");
        const bytes = pattern(150_000, "file");
        await writeFile(local, bytes);
        await put(t, `${d}/x/remote`, await fromFile(local));
        await holds(t, `${d}/x/remote`, bytes, "the bytes of the local file");
        const shrinking = await fromFile(local);
        await writeFile(local, bytes.subarray(0, 1000));
        await rejects("bad-body", () => t.store.write(`${d}/x/other`, shrinking), "a local file that became shorter");
        const growing = await fromFile(local);
        await writeFile(local, bytes);
        await rejects("bad-body", () => t.store.write(`${d}/x/other`, growing), "a local file that became longer");
        await lists(t, `${d}/x`, ["remote"], "nothing is stored of a file that changed");
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  },
  {
    id: "bodies.result",
    title: "what one store reads another writes, streaming",
    why: "Copies between services are half of what a storage library is for; buffered whole they end at the size of the memory.",
    tier: "smoke",
    behaviours: [41],
    guarantees: ["body.kinds", "read.whole"],
    kills: ["A17"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const other = await t.connect();
      const bytes = pattern(room(t, 300_001), "result");
      await put(t, `${d}/x/from`, bytes);
      await t.settled("read", async () => void (await other.stat(`${d}/x/from`)));
      await t.store.write(`${d}/x/to`, await other.read(`${d}/x/from`));
      await holds(t, `${d}/x/to`, bytes, "the bytes of the other file");
      if (t.capabilities.readRange === false) return;
      await put(t, `${d}/x/part`, await other.read(`${d}/x/from`, { range: { offset: 1000, length: 5000 } }));
      await holds(t, `${d}/x/part`, bytes.slice(1000, 6000), "a part of the other file");
      await t.store.write(`${d}/x/to`, await t.store.read(`${d}/x/part`));
      await holds(t, `${d}/x/to`, bytes.slice(1000, 6000), "a file of the same store as a body");
    },
  },
];

/** Writes that are given up, and what must not be left of them (behaviours 65, 67, 68). */
import { endless, equal, listAll, ok, pattern, recorded, rejects } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { absent, base, below, pause, room, unknownRoom } from "./base.ts";
import { holds, put, rw, rwl, rwld } from "./look.ts";

const mib = 1024 * 1024;

/** What the service still holds of uploads that were given up, where the subject can tell. */
async function leftovers(t: CheckContext): Promise<readonly string[]> {
  return (await t.subject.leftovers?.(t.place)) ?? [];
}

export const checks: readonly Check[] = [
  {
    id: "aborts.midway",
    title: "a write given up in the middle leaves nothing, or the old version, at once and later",
    why: "The call rejects, the request runs on, and a second later the file that the user cancelled is there. ES found three stores that do it by drawing aborts at random.",
    tier: "smoke",
    behaviours: [65, 76],
    guarantees: ["write.aborted", "write.failed"],
    rows: ["CF8"],
    kills: ["M18", "M20", "M21"],
    needs: rwl,
    timeoutMs: 60_000,
    async run(t) {
      const d = `${await base(t)}/x`;
      const old = pattern(500, "old");
      await put(t, `${d}/old`, old);
      const size = room(t, 600_000);
      for (const name of ["new", "old"]) {
        for (const after of [0, 1, size / 2, size - 1]) {
          const control = new AbortController();
          const body = recorded(pattern(size, "aborted"), 50_000, async (offset) => {
            if (offset >= after) control.abort(new Error("given up by the check"));
            // Whoever listens to the signal stops here.
            await new Promise((done) => setImmediate(done));
          });
          const error = await rejects(
            "aborted",
            () => t.store.write(`${d}/${name}`, body, { size, signal: control.signal }),
            `a write given up after ${Math.floor(after)} of ${size} bytes`,
          );
          ok(error.applied === false || error.applied === "unknown", "the error says that nothing was applied, or that it does not know", error.applied);
          ok(body.closed || body.opened === 0, "the body was let go");
          await pause(t, 150);
          if (name === "new" && error.applied === false) await absent(t, `${d}/new`, "no file appears, at once or later");
          if (name === "old" && error.applied === false) await holds(t, `${d}/old`, old, "the old version stays");
          if (error.applied === "unknown") {
            const found = await t.store.read(`${d}/${name}`).then(
              (result) => result.bytes(),
              () => undefined,
            );
            if (found !== undefined)
              ok(found.length === size || (name === "old" && found.length === old.length), "if something is there, it is a whole version", found.length);
            await t.store.write(`${d}/old`, old);
            if (name === "new" && t.capabilities.delete !== false) await t.store.delete(`${d}/new`);
          }
        }
      }
      await t.settled("list", async () =>
        equal(
          (await listAll(t.store, d)).map((entry) => entry.path as string),
          [`${d}/old`],
          "nothing else is left behind",
        ),
      );
    },
  },
  {
    id: "aborts.random",
    title: "writes given up at random moments leave nothing or a whole version",
    why: "The bad moment is the one nobody thought of: between the last part and the commit, or while the answer is on its way.",
    tier: "full",
    behaviours: [65, 141],
    guarantees: ["write.aborted", "write.failed"],
    kills: ["A44"],
    needs: rwld,
    timeoutMs: 120_000,
    async run(t) {
      const d = `${await base(t)}/x`;
      await put(t, `${d}/marker`, pattern(1, "marker"));
      const size = 200_000;
      let finished = 0;
      for (let round = 0; round < 20; round++) {
        const control = new AbortController();
        const path = `${d}/f${round}`;
        const timer = setTimeout(() => control.abort(new Error("given up by the check")), below(t, 12));
        const outcome: unknown = await t.store
          .write(
            path,
            recorded(pattern(size, path), 20_000, () => new Promise((done) => setImmediate(done))),
            { size, signal: control.signal },
          )
          .then(
            () => "stored",
            (error: unknown) => error,
          );
        clearTimeout(timer);
        if (outcome === "stored") finished++;
        else {
          const error = await rejects("aborted", Promise.reject(outcome), "a write that was given up");
          await pause(t, 20);
          if (error.applied === false) await absent(t, path, "nothing was applied, so nothing is there");
        }
        if (outcome === "stored") await holds(t, path, pattern(size, path), "a write that resolved is there, whole");
        const bytes = await t.store.read(path).then(
          (result) => result.bytes(),
          async (error: unknown) => {
            await rejects("not-found", Promise.reject(error), "a file that is not whole is not there");
            return undefined;
          },
        );
        if (bytes !== undefined) equal(Buffer.compare(bytes, pattern(size, path)), 0, "what is there is whole");
      }
      t.note(`${finished} of 20 writes were faster than their signal`);
    },
  },
  {
    id: "aborts.leftovers",
    title: "failed and aborted uploads of many parts leave no unfinished upload and no temporary file",
    why: "Open multipart uploads are invisible in listings and billed for ever: one client left 35 MiB in 12 of them. go-cloud carries the test as a TODO.",
    tier: "full",
    behaviours: [67, 68],
    guarantees: ["write.failed"],
    rows: ["CF8"],
    kills: ["M19"],
    needs: rwl,
    timeoutMs: 120_000,
    async run(t) {
      const d = `${await base(t)}/x`;
      await put(t, `${d}/marker`, pattern(1, "marker"));
      const before = await leftovers(t);
      const part = Math.max(mib, ...t.capabilities.sizeSteps.filter((step) => step <= 16 * mib));
      const size = unknownRoom(t, 2 * part + 1000);
      const chunk = Math.min(256 * 1024, Math.ceil(size / 4));
      for (const known of t.capabilities.writeUnknownSize === false ? [true] : [true, false]) {
        for (const end of ["fails", "aborted"] as const) {
          const control = new AbortController();
          const body = recorded(pattern(size, "leftovers"), chunk, async (offset) => {
            if (offset < size - chunk) return;
            if (end === "fails") throw new Error("the body of the check fails in its last part");
            control.abort(new Error("given up by the check"));
            await new Promise((done) => setImmediate(done));
          });
          const error = await rejects(
            end === "fails" ? "bad-body" : "aborted",
            () => t.store.write(`${d}/big`, body, { signal: control.signal, ...(known ? { size } : {}) }),
            `an upload of ${size} bytes that ${end === "fails" ? "fails" : "is aborted"} near its end`,
          );
          if (error.applied === false) await absent(t, `${d}/big`, "nothing of it is there");
        }
      }
      await pause(t, 200);
      equal([...(await leftovers(t))].sort(), [...before].sort(), "the service holds nothing of what was given up");
      await t.settled("list", async () =>
        equal(
          (await listAll(t.store, d)).map((entry) => entry.path as string),
          [`${d}/marker`],
          "the directory has what was stored and nothing else",
        ),
      );
      await t.settled("list", async () => {
        const top = (await listAll(t.store, "/")).map((entry) => entry.path as string);
        equal(top, [d.split("/").slice(0, 2).join("/")], "the root has no temporary files");
      });
    },
  },
  {
    id: "aborts.slow-body",
    title: "a body that stops giving bytes holds up its own write only",
    why: "One lock, or one connection, for all writes: a browser tab that sleeps stops the whole server.",
    tier: "full",
    behaviours: [144, 134],
    guarantees: ["write.concurrent"],
    kills: ["A39"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const control = new AbortController();
      const stuck = endless(pattern(2000, "stuck"));
      const pending = t.store.write(`${d}/x/stuck`, stuck, { size: room(t, 1_000_000), signal: control.signal });
      const outcome = rejects(["aborted", "bad-body"], pending, "the stuck write, in the end");
      const others = (async (): Promise<string> => {
        for (let index = 0; index < 3; index++) await put(t, `${d}/x/f${index}`, pattern(100, `f${index}`));
        for (let index = 0; index < 3; index++) await holds(t, `${d}/x/f${index}`, pattern(100, `f${index}`), "other files can be read meanwhile");
        return "written and read";
      })();
      const patience = 5_000 + t.capabilities.consistency.settleMs;
      const end = await Promise.race([others, pause(t, patience).then(() => "held up")]);
      control.abort(new Error("given up by the check"));
      await outcome;
      equal(end, "written and read", `three other files, while the body of one write stands still (after ${patience} ms)`);
      await absent(t, `${d}/x/stuck`, "the stuck file is not there");
    },
  },
];

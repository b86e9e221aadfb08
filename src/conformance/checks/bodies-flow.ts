/** How bodies flow: nothing collected, progress told (behaviours 36, 41). */
import type { Body } from "../../store/index.ts";
import { equal, ok, pattern, patternStream, pieces, probed, rejects, verifyPattern } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base, unknownRoom } from "./base.ts";
import { put, rw } from "./look.ts";
import { heldBytes } from "./memory.ts";

const mib = 1024 * 1024;

export const checks: readonly Check[] = [
  {
    id: "bodies.memory",
    title: "a large body is sent as it is pulled: it is not collected in memory first",
    why: "Uploads that are collected before they are sent work in every test and end the process with the first video; a slow service has to slow its writer down.",
    tier: "full",
    behaviours: [36, 41],
    guarantees: ["body.pulled"],
    kills: ["M68b"],
    needs: rw,
    timeoutMs: 120_000,
    async run(t) {
      const path = `${await base(t)}/memory.bin`;
      const length = Math.min(64 * mib, t.capabilities.maxFileBytes);
      const before = heldBytes();
      const source = patternStream(length, "memory", Math.min(mib, length));
      let given = 0;
      let held = 0;
      const body = probed(async () => {
        const next = await source.next();
        if (next.done === true) return undefined;
        given += next.value.length;
        // Everything but this last piece is with the service by now, or on its way there.
        if (given === length) held = heldBytes() - before;
        return next.value;
      });
      await put(t, path, body, { size: length });
      t.note(`${Math.round(held / 1024)} KiB held when the last of ${length} bytes were given`);
      // A store inside the process keeps the file itself, in pieces and whole for a moment; any other has at most its parts in flight.
      const allowed = t.subject.reopens === false ? length * 3.25 : length * 0.75;
      ok(held < allowed, `less than ${Math.round(allowed / mib)} MiB are held of a body of ${Math.round(length / mib)} MiB`, held);
      await t.settled("read", async () => {
        await using result = await t.store.read(path);
        await verifyPattern(result, length, "memory");
      });
    },
  },
  {
    id: "bodies.progress",
    title: "progress counts the bytes taken, never falls within an attempt and ends at the size",
    why: "Progress that counts a retry on top of the first attempt goes to 180 %, and one that is told only at the end is none.",
    tier: "full",
    behaviours: [41],
    guarantees: ["write.progress"],
    kills: ["A20", "A20b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const bytes = pattern(unknownRoom(t, 200_000), "progress");
      const bodies: Readonly<Record<string, { readonly body: Body; readonly total: number | null }>> = {
        bytes: { body: bytes, total: bytes.length },
        empty: { body: "", total: 0 },
        ...(t.capabilities.writeUnknownSize === false ? {} : { stream: { body: pieces(bytes, 10_000), total: null } }),
      };
      for (const [name, { body, total }] of Object.entries(bodies)) {
        const told: { readonly bytes: number; readonly total: number | null }[] = [];
        await t.store.write(`${d}/x/${name}`, body, { onProgress: (progress) => void told.push(progress) });
        const length = name === "empty" ? 0 : bytes.length;
        if (length > 0) ok(told.length > 0, `${name}: progress is told`);
        for (const [index, { bytes: count, total: of }] of told.entries()) {
          ok(count <= length, `${name}: never more than there is`, count);
          const before = told[index - 1]?.bytes ?? 0;
          ok(count >= before || count === 0, `${name}: the count does not fall, unless an attempt begins again at 0`, [before, count]);
          if (total !== null) equal(of, total, `${name}: the total is told`);
        }
        if (length > 0) equal(told.at(-1)?.bytes, length, `${name}: the last count is the size`);
      }
      const failing = probed(() => {
        throw new Error("the body of the check fails here, as it should");
      });
      let counted = 0;
      await rejects(
        "bad-body",
        () => t.store.write(`${d}/x/failing`, failing, { size: 10, onProgress: (progress) => void (counted = progress.bytes) }),
        "a failing body",
      );
      equal(counted, 0, "no progress is told of a body that gave nothing");
      await absent(t, `${d}/x/failing`, "a failing body stores nothing");
    },
  },
];

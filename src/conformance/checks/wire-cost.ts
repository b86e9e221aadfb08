/** What operations cost on the wire: requests by verb against what the subject declares, and bytes against those of the file. */
import { equal, fail, listAll, ok, pattern, readAll, rejects, sameBytes, show } from "../assert.ts";
import type { Check } from "../check.ts";
import { rw } from "./look.ts";
import { ground } from "./wire-scenarios.ts";
import { wireOf } from "./wire-sweep.ts";

const minutes = 60_000;

export const costs: readonly Check[] = [
  {
    id: "wire.cost",
    title: "requests per operation: no more than the subject declares, and none for what needs none",
    why: "An extra request per call doubles the bill and the time, and nothing else shows it.",
    tier: "full",
    behaviours: [169],
    guarantees: ["cost.declared"],
    kills: ["W16"],
    needs: rw,
    offers: ["wire"],
    timeoutMs: minutes,
    async run(t) {
      const { store, capabilities, subject } = t;
      const g = await ground(t);
      const wire = wireOf(t);
      const at = (name: string): string => `${g.dir}/cost/${name}`;
      await store.write(at("a"), pattern(100, "a"));
      const costs: Partial<Record<keyof NonNullable<typeof subject.cost>, () => Promise<unknown>>> = {
        stat: () => store.stat(at("a"), { fresh: true }),
        read: () => readAll(store, at("a"), { fresh: true }),
        write: () => store.write(at("a"), pattern(100, "b")),
        ...(capabilities.list === false ? {} : { list: () => listAll(store, `${g.dir}/cost`, { fresh: true }) }),
        ...(capabilities.mkdir === false ? {} : { mkdir: () => store.mkdir(at(`made${wire.exchanges.length}`)) }),
        ...(capabilities.copy === false ? {} : { copy: () => store.copy(at("a"), at("copied")) }),
        ...(capabilities.move === false ? {} : { move: () => store.move(at("copied"), at("moved")) }),
        ...(capabilities.delete === false ? {} : { delete: () => store.delete(at("moved")) }),
      };
      const found: string[] = [];
      const over: string[] = [];
      for (const [verb, call] of Object.entries(costs)) {
        if (verb === "move" && capabilities.copy === false) await store.write(at("copied"), "x");
        if (verb === "delete") await store.write(at("moved"), "x");
        wire.clear();
        await call();
        const requests = wire.exchanges.length;
        found.push(`${verb} ${requests}`);
        const budget = subject.cost?.[verb as keyof NonNullable<typeof subject.cost>];
        if (budget !== undefined && requests > budget) over.push(`${verb}: ${wire.exchanges.map(({ method, target }) => `${method} ${target}`).join(", ")}`);
      }
      t.note(`requests: ${found.join(", ")}`);
      if (over.length > 0) fail("requests per operation stay within what is declared", show(subject.cost), over.join("; "));
      wire.clear();
      await rejects("invalid-path", () => store.stat("no/slash"), "a path that is none");
      await rejects("aborted", () => store.stat(at("a"), { fresh: true, signal: AbortSignal.abort() }), "a call that was given up before it began");
      equal(wire.exchanges.length, 0, "what is refused beforehand makes no request");
    },
  },
  {
    id: "wire.cost.bytes",
    title: "a range moves the bytes of the range, a whole file its bytes once",
    why: "A range that is cut out of a whole download costs the whole download.",
    tier: "full",
    behaviours: [169, 45],
    guarantees: ["cost.declared"],
    kills: ["W20"],
    needs: [...rw, "readRange"],
    offers: ["wire"],
    timeoutMs: minutes,
    async run(t) {
      const g = await ground(t);
      const wire = wireOf(t);
      const path = `${g.dir}/moved`;
      const size = Math.min(t.capabilities.maxFileBytes, 3_000_000);
      const content = pattern(size, "moved");
      // The first request of a store may be asked who it is, after its body where the service does not hold that back.
      await t.store.stat("/");
      wire.clear();
      await t.store.write(path, content);
      const up = wire.exchanges.reduce((sum, { bytesUp }) => sum + bytesUp, 0);
      // Signed chunks carry a little more than their bytes.
      ok(up <= size * 1.05 + 20_000, "a file goes up once", `${up} bytes for a file of ${size}`);
      wire.clear();
      sameBytes(await readAll(t.store, path, { fresh: true }), content, "the file");
      const down = wire.exchanges.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
      ok(down <= size + 20_000, "a file comes down once", `${down} bytes for a file of ${size}`);
      if (t.capabilities.readRange !== "native") return;
      wire.clear();
      sameBytes(await readAll(t.store, path, { fresh: true, range: { offset: 1000, length: 5000 } }), content.subarray(1000, 6000), "the range");
      const part = wire.exchanges.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
      ok(part <= 5000 + 20_000, "a native range moves its own bytes", `${part} bytes for a range of 5000`);
    },
  },
];

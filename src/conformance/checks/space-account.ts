/** Space and account: figures that add up and a text for people (behaviour 115). */
import { equal, ok, pattern, rejects } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import type { Space } from "../../store/index.ts";
import { put } from "./look.ts";

const figures = ["used", "free", "total"] as const;

async function space(t: CheckContext): Promise<Space> {
  const found = await t.store.space();
  equal(Object.keys(found).sort(), ["free", "total", "used"], "exactly used, free and total");
  for (const name of figures) {
    const value = found[name];
    ok(
      value === null || value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= 0),
      `${name} is null, Infinity or a whole number of bytes, never negative`,
      value,
    );
  }
  return found;
}

export const checks: readonly Check[] = [
  {
    id: "space.figures",
    title: "used, free and total are null, unlimited or whole numbers of bytes that are not negative, and one at least is known",
    why: "WebDAV servers say -3 for unlimited and -2 for unknown; taken as bytes, the disk is full, or has 18 exabytes.",
    tier: "smoke",
    behaviours: [115],
    guarantees: ["space.figures"],
    rows: ["CF20"],
    kills: ["N14"],
    needs: ["space"],
    async run(t) {
      const found = await space(t);
      ok(
        figures.some((name) => found[name] !== null),
        "who declares space knows one of the three",
        found,
      );
      if (found.used !== null) ok(found.used !== Number.POSITIVE_INFINITY, "used is never unlimited", found.used);
    },
  },
  {
    id: "space.adds-up",
    title: "where all three are finite, free is total less used; neither is more than the total",
    why: "A file manager that shows 3 GB free of 2 GB is a joke; a cache that believes it fills the disk.",
    tier: "smoke",
    behaviours: [115],
    guarantees: ["space.figures"],
    rows: ["CF20"],
    kills: ["N222"],
    needs: ["space", "write"],
    async run(t) {
      await put(t, "/w/f", pattern(20_000, "used"));
      // Other programs write to a disk while it is asked: a second look before it is called wrong.
      for (let look = 1; ; look += 1) {
        const { used, free, total } = await space(t);
        const off = used === null || free === null || total === null || !Number.isFinite(total) ? 0 : Math.abs(free - Math.max(0, total - used));
        if (off > 6000 && look < 5) continue;
        ok(off <= 6000, "free is total less used, within 6,000 bytes", { used, free, total });
        if (free !== null && total !== null) ok(free <= total, "free is at most the total", { free, total });
        if (total === Number.POSITIVE_INFINITY) ok(free === null || free === Number.POSITIVE_INFINITY, "with no limit, what is free has none", free);
        return;
      }
    },
  },
  {
    id: "space.again",
    title: "space can be asked while files are written, and gives figures each time",
    why: "The call that is made every second by a status bar is the one that must not fail under load.",
    tier: "full",
    behaviours: [115],
    guarantees: ["space.figures"],
    kills: ["N223"],
    needs: ["space", "write"],
    async run(t) {
      const before = await space(t);
      const [, ...all] = await Promise.all([put(t, "/w/f", pattern(100_000, "space")), ...Array.from({ length: 6 }, () => space(t))]);
      for (const found of all) for (const name of figures) equal(found[name] === null, before[name] === null, `${name} is known each time, or never`);
    },
  },
  {
    id: "space.signal",
    title: "space whose signal has fired is aborted",
    why: "A quota request on a slow server is what a status bar waits for when the program ends.",
    tier: "full",
    behaviours: [76],
    guarantees: ["error.signal"],
    kills: ["N224"],
    needs: ["space"],
    async run(t) {
      const error = await rejects("aborted", () => t.store.space({ signal: AbortSignal.abort(new Error("mine")) }), "space with a signal that has fired");
      equal([error.operation, error.path as string | null, error.applied], ["space", "/", false], "operation, path and effect");
    },
  },
  {
    id: "account.text",
    title: "the account is one line for people that names the provider, and holds no secret",
    why: '"Connected as undefined".',
    tier: "smoke",
    behaviours: [115],
    guarantees: ["account.text"],
    rows: ["CF21"],
    kills: ["N36"],
    needs: ["account"],
    async run(t) {
      const account = await t.store.account();
      equal(Object.keys(account).sort(), ["provider", "text", "user"], "exactly provider, user and text");
      ok(typeof account.provider === "string" && account.provider.trim() !== "", "provider is a name", account.provider);
      ok(account.user === null || (typeof account.user === "string" && account.user !== ""), "user is null or a name", account.user);
      ok(typeof account.text === "string" && account.text.trim() !== "" && !/[\r\n]/.test(account.text), "text is one line", account.text);
      ok(account.text.toLowerCase().includes(account.provider.toLowerCase()), "text names the provider", account);
      ok(!/undefined|null|\[object|NaN/.test(account.text), "text says nothing by mistake", account.text);
      for (const layer of Object.values(t.store.layers)) {
        for (const [key, value] of Object.entries(layer.settings)) {
          if (/secret|password|token/i.test(key) && typeof value === "string" && value.length > 3 && value !== "***")
            ok(!account.text.includes(value), `text does not hold the setting ${key}`, account.text);
        }
      }
    },
  },
  {
    id: "account.again",
    title: "the account is the same each time it is asked, also by another connection",
    why: "It is what people compare to see whether they are looking at the right account.",
    tier: "full",
    behaviours: [115],
    guarantees: ["account.text"],
    kills: ["N225"],
    needs: ["account"],
    async run(t) {
      const first = await t.store.account();
      equal({ ...(await t.store.account()) }, { ...first }, "the second time");
      equal({ ...(await (await t.connect()).account()) }, { ...first }, "by another connection");
    },
  },
  {
    id: "account.signal",
    title: "account whose signal has fired is aborted",
    why: "It is the first call that many programs make, on the network that is not there yet.",
    tier: "full",
    behaviours: [76],
    guarantees: ["error.signal"],
    kills: ["N224b"],
    needs: ["account"],
    async run(t) {
      const error = await rejects("aborted", () => t.store.account({ signal: AbortSignal.abort(new Error("mine")) }), "account with a signal that has fired");
      equal([error.operation, error.path as string | null, error.applied], ["account", "/", false], "operation, path and effect");
    },
  },
];

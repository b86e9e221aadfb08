/** The probe: claims that are not kept, abilities that are not claimed, facts that are otherwise. */
import { expect, test } from "vitest";
import { probeSubject } from "../../src/conformance/index.ts";
import type { Finding, Subject } from "../../src/conformance/index.ts";
import { backendOf } from "../../src/conformance/backend-of.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { createStore } from "../../src/store/index.ts";
import type { Backend, Capabilities, Provider } from "../../src/store/index.ts";
import { forwarding } from "./buggy-subject.ts";

/** A provider over a memory store, with other claims and other behaviour. */
function subject(claims: Partial<Capabilities>, change: (inner: Backend) => Partial<Backend> = () => ({})): Subject & { provider(): Provider } {
  const inner = backendOf(memory());
  const { capabilities, read, ...verbs } = forwarding(inner, change(inner));
  const provider = (): Provider => ({
    ...verbs,
    kind: "odd",
    capabilities: { ...capabilities, ...claims },
    read: async (call) => {
      const { entry, offset, body } = await read(call);
      return { entry, offset, body };
    },
  });
  return { name: "odd", reopens: false, open: () => createStore(provider()), provider };
}
async function probed(one: Subject): Promise<ReadonlyMap<string, Finding>> {
  return new Map((await probeSubject(one)).map((finding) => [finding.key, finding]));
}

test("everything is as declared: nothing is broken, nothing more is found", async () => {
  const found = await probed(subject({}));
  expect([...found.values()].filter(({ verdict }) => verdict !== "kept")).toEqual([]);
  expect(found.size).toBeGreaterThan(35);
});

test("what works and is not claimed is seen through the bare provider, and only there", async () => {
  const odd = subject({ writeIfAbsent: false, moveIfAbsent: false, listRecursive: false }, (inner) => ({
    move: (call) => inner.move({ ...call, ifAbsent: false }),
  }));
  const found = await probed(odd);
  expect(found.get("writeIfAbsent")).toMatchObject({ declared: "no", verdict: "unclaimed" });
  // It has the method and ignores the option: claiming it would be wrong.
  expect(found.get("moveIfAbsent")).toMatchObject({ declared: "no", verdict: "refused", found: expect.stringContaining("does not work") as string });
  const { provider: _, ...closed } = odd;
  expect((await probed(closed)).get("writeIfAbsent")).toMatchObject({ verdict: "refused" });
});

test("a claim that is not kept is broken", async () => {
  const found = await probed(
    subject({}, (inner) => ({
      write: (call) => inner.write({ ...call, contentType: undefined }),
      delete: (call) => inner.delete({ ...call, ifMatch: undefined }),
    })),
  );
  expect([...found.values()].filter(({ verdict }) => verdict === "broken").map(({ key }) => key)).toEqual(["writeContentType", "deleteIfMatch"]);
});

test("facts: precision, case, order, kind of directories", async () => {
  const found = await probed(
    subject({ modifiedPrecisionMs: 1000, caseSensitive: false, listSorted: false, normalisation: "nfc", directories: "implied", strictHierarchy: true }),
  );
  expect(found.get("modifiedPrecisionMs")).toMatchObject({ declared: "1,000", found: "1 ms", verdict: "unclaimed" });
  expect(found.get("caseSensitive")).toMatchObject({ found: "keeps case apart", verdict: "broken" });
  expect(found.get("listSorted")).toMatchObject({ found: "in code-point order", verdict: "unclaimed" });
  expect(found.get("normalisation")).toMatchObject({ declared: "nfc", found: "kept", verdict: "broken" });
  expect(found.get("directories")).toMatchObject({ declared: "implied", found: "real", verdict: "broken" });
  const coarse = await probed(
    subject({ modifiedPrecisionMs: 1 }, (inner) => ({
      write: (call) => inner.write({ ...call, modifiedMs: call.modifiedMs === undefined ? undefined : Math.floor(call.modifiedMs / 2000) * 2000 }),
    })),
  );
  expect(coarse.get("modifiedPrecisionMs")).toMatchObject({ found: "2000 ms", verdict: "broken" });
});

test("a name that is too long for the service is found by halving", async () => {
  const short = subject({ maxNameBytes: 300 }, (inner) => ({
    write: (call) => (call.path.slice(call.path.lastIndexOf("/") + 1).length > 143 ? Promise.reject(new Error("File name too long")) : inner.write(call)),
  }));
  expect((await probed(short)).get("maxNameBytes")).toMatchObject({ declared: "300", found: "only 143 bytes", verdict: "broken" });
});

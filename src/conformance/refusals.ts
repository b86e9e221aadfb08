/**
 * The proof that what is not declared is refused: each capability has one call that uses it, which must reject with `unsupported` and change nothing.
 *
 *   await proveRefused(context, ["move", "moveIfAbsent"]);
 */
import { StoreError, calls, parsePath } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { backendOf } from "./backend-of.ts";
import { fail, ok, pattern, pieces, rejects, sameTree, snapshot } from "./assert.ts";
import type { ProbedBody, Snapshot } from "./assert.ts";
import type { CheckContext, SupportKey } from "./check.ts";

/** What the calls are made against. Names that exist nowhere else, so that a call which is not refused is seen. */
interface Fixture {
  readonly store: Store;
  readonly dir: string;
  readonly file: string;
  readonly free: string;
  /** A further body that must be let go of. */
  body(): ProbedBody;
}

/**
 * One call per key. "declared" stands where there is no call to refuse: the key tells how well something is done, not whether.
 * A new capability does not compile until someone has written its call.
 */
const attempts: Readonly<Record<SupportKey, ((fixture: Fixture) => Promise<unknown>) | "declared">> = {
  read: ({ store, file }) => store.read(file),
  write: ({ store, free, body }) => store.write(free, body(), { size: 100 }),
  list: ({ store, dir }) => store.list(dir).toArray(),
  delete: ({ store, file }) => store.delete(file),
  mkdir: ({ store, free }) => store.mkdir(free),
  copy: ({ store, file, free }) => store.copy(file, free),
  move: ({ store, file, free }) => store.move(file, free),
  space: ({ store }) => store.space(),
  account: ({ store }) => store.account(),
  readRange: ({ store, file }) => store.read(file, { range: { offset: 1, length: 2 } }),
  readSuffix: ({ store, file }) => store.read(file, { range: { offset: -2 } }),
  readIfMatch: ({ store, file }) => store.read(file, { ifMatch: "no-such-etag" }),
  readIfNoneMatch: ({ store, file }) => store.read(file, { ifNoneMatch: "no-such-etag" }),
  writeIfAbsent: ({ store, free, body }) => store.write(free, body(), { size: 100, ifAbsent: true }),
  writeIfMatch: ({ store, file, body }) => store.write(file, body(), { size: 100, ifMatch: "no-such-etag" }),
  writeUnknownSize: ({ store, free, body }) => store.write(free, body()),
  writeModified: ({ store, free, body }) => store.write(free, body(), { size: 100, modifiedMs: 1_000_000_000_000 }),
  writeContentType: ({ store, free, body }) => store.write(free, body(), { size: 100, contentType: "text/plain" }),
  writeMetadata: ({ store, free, body }) => store.write(free, body(), { size: 100, metadata: { colour: "blue" } }),
  listRecursive: ({ store, dir }) => store.list(dir, { recursive: true }).toArray(),
  // Below the front, where nobody has said yet which store and path it was.
  listIfNoneMatch: async ({ store, dir }) => {
    const path = parsePath(dir);
    try {
      return await backendOf(store).list(calls.list(path, { ifNoneMatch: "no-such-etag" }));
    } catch (error) {
      throw StoreError.is(error) ? error.with({ store: store.name, operation: "list", path }) : error;
    }
  },
  deleteRecursive: ({ store, dir }) => store.delete(dir, { recursive: true }),
  deleteIfMatch: ({ store, file }) => store.delete(file, { ifMatch: "no-such-etag" }),
  copyTree: ({ store, dir }) => store.copy(dir, `${dir}-copy`),
  copyIfAbsent: ({ store, file, free }) => store.copy(file, free, { ifAbsent: true }),
  moveTree: ({ store, dir }) => store.move(dir, `${dir}-moved`),
  moveIfAbsent: ({ store, file, free }) => store.move(file, free, { ifAbsent: true }),
  atomicWrites: "declared",
};

/** @throws CheckFailure naming the first key whose call is not refused, or that changed something */
export async function proveRefused(context: CheckContext, keys: readonly SupportKey[]): Promise<void> {
  const { store, capabilities } = context;
  const dir = "/refused";
  const file = `${dir}/kept.txt`;
  const canWrite = capabilities.write !== false;
  const canLook = capabilities.list !== false && capabilities.read !== false;
  if (canWrite) await store.write(file, pattern(64, "kept"));
  if (!canLook) context.note("list or read is not declared: that nothing changed cannot be seen through this store");

  const look = async (): Promise<Snapshot | undefined> => (canLook ? await context.settled("list", () => snapshot(store)) : undefined);
  for (const key of keys) {
    const attempt = attempts[key];
    if (attempt === "declared") {
      context.note(`${key}: declared as not kept; there is no call to refuse`);
      continue;
    }
    if (capabilities[key] !== false) fail(`${key} is to be proved as refused`, false, capabilities[key]);
    const bodies: ProbedBody[] = [];
    const fixture: Fixture = {
      store,
      dir,
      file,
      free: `${dir}/free.txt`,
      body: () => {
        const body = pieces(pattern(100, "refused"), 50);
        bodies.push(body);
        return body;
      },
    };
    const before = await look();
    const error = await rejects("unsupported", () => attempt(fixture), `${key} is not declared, so the call is refused`);
    ok(error.applied === false, `${key}: the refusal says that nothing was changed`, error.applied);
    ok(!error.transient, `${key}: trying again does not help, and the error says so`, error.transient);
    for (const body of bodies)
      ok(body.closed || body.opened === 0, `${key}: a body that is not stored is let go of`, { opened: body.opened, closed: body.closed });
    const after = await look();
    if (before !== undefined && after !== undefined) sameTree(after, before, `${key}: a refused call changes nothing`);
  }
}

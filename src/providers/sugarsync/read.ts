/** Reading: GET of the data, with a range where one is asked for. */
import { StoreError, entry, rangeHeader, root } from "../../store/index.ts";
import type { ProviderRead, ReadCall } from "../../store/index.ts";
import { errorOf } from "./errors.ts";
import { look, need } from "./find.ts";
import { pathOf } from "./links.ts";
import { entryOf } from "./resources.ts";
import type { Item } from "./resources.ts";
import type { Session } from "./session.ts";
import type { Download } from "./wire.ts";

export async function read(session: Session, call: ReadCall): Promise<ProviderRead> {
  const { path, range, fresh, signal } = call;
  if (path === root) throw new StoreError("is-a-directory", "a directory has no bytes");
  const asked = rangeHeader(range);
  for (let sure = false; ; sure = true) {
    const { item, parent } = await need(session, path, { signal, fresh, sure });
    if (item.kind === "directory") throw new StoreError("is-a-directory", "a directory has no bytes");
    const answer = await session.download(`${pathOf(item.ref)}/data`, asked === undefined ? {} : { range: asked }, signal);
    try {
      if (answer.body !== null) return await accepted(session, call, item, answer, answer.body);
    } catch (error) {
      answer.body?.destroy();
      throw error;
    }
    const { status } = answer;
    if (status === 416) return outside(session, call, item);
    if (status !== 404 && status !== 400) throw errorOf(answer);
    const now = await look(session, item.ref, signal);
    if (now !== null) return withoutBytes(call, now);
    session.index.drop(parent, item.ref, false);
    if (sure) throw new StoreError("conflict", "the file came or went at this moment", { status });
  }
}

async function accepted(
  session: Session,
  { path, signal }: ReadCall,
  item: Item,
  answer: Download,
  body: NonNullable<Download["body"]>,
): Promise<ProviderRead> {
  const encoding = answer.headers.get("content-encoding");
  if (encoding !== null && encoding.trim().toLowerCase() !== "identity")
    throw new StoreError("unsupported", "the service packs the file on the way, although it was asked not to");
  if (answer.status === 206) {
    const [, first, , total] = /^bytes\s+(\d+)-(\d+)\/(\d+)$/i.exec(answer.headers.get("content-range")?.trim() ?? "") ?? [];
    if (first === undefined) throw new StoreError("unavailable", "the service does not say which part of the file it sends");
    return { entry: entry({ path, kind: "file", size: Number(total), id: item.ref, complete: false }), body, offset: Number(first) };
  }
  const length = answer.headers.get("content-length");
  const told = length === null ? undefined : Number(length);
  // A cut answer may look whole, without a length or with one to match: where it is not what was known of the file, the size is asked for.
  const size = told === item.size ? told : ((await look(session, item.ref, signal)) ?? item).size;
  if (told !== undefined && told !== size) throw new StoreError("unavailable", "the service does not send as many bytes as the file has");
  return { entry: entry({ path, kind: "file", size, id: item.ref, complete: false }), body };
}

async function outside(session: Session, { path, range, signal }: ReadCall, item: Item): Promise<ProviderRead> {
  const now = entryOf(path, (await look(session, item.ref, signal)) ?? item);
  // Of an empty file every range from its start is good, and is empty.
  if (now.size === 0 && (range === undefined || range.offset <= 0)) return { entry: now, body: new Uint8Array(0) };
  throw new StoreError("bad-range", "the range starts at or past the end", { status: 416, entry: now });
}

/** There, and no data: never written to, or still on its way from another computer. */
function withoutBytes({ path }: ReadCall, item: Item): ProviderRead {
  if (item.size > 0 || !item.present) throw new StoreError("unavailable", "the service does not have the bytes of this file yet");
  return { entry: entryOf(path, item), body: new Uint8Array(0) };
}

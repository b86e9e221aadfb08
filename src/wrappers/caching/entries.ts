/** Rows as the entries that callers see. */
import { entry } from "../../store/index.ts";
import type { Capabilities, Entry, Hashes, Metadata, StorePath } from "../../store/index.ts";
import type { Core } from "./core.ts";
import { FILE } from "./rows.ts";
import type { NodeRow } from "./rows.ts";

/**
 * Of a file that was written here: a number that is never used twice, so equal etags mean equal bytes. It stays until the row leaves the cache: the
 * etag of the remote after the upload would look like a change where none was.
 */
export function localEtag(gen: number): string {
  return `~${gen.toString(36)}`;
}

export function etagOf(node: NodeRow, { etag }: Pick<Capabilities, "etag">): string | null {
  if (!etag || node.kind !== FILE) return null;
  return node.local === 1 ? localEtag(node.gen) : node.base_etag;
}

/** What the remote says of a file that was written here and whose bytes have left: still the same version, so still the same etag. */
export function withLocalEtag(core: Core, node: NodeRow, found: Entry): Entry {
  const same = node.kind === FILE && node.dirty === 0 && node.local === 1 && found.etag !== null && found.etag === node.base_etag;
  return same ? { ...found, etag: etagOf(node, core.remoteCan) } : found;
}

export function entryOf(core: Core, node: NodeRow, path: StorePath): Entry {
  if (node.kind !== FILE) return entry({ path, kind: "directory", modifiedMs: node.modified });
  return entry({
    path,
    kind: "file",
    size: node.size,
    modifiedMs: node.modified,
    etag: etagOf(node, core.remoteCan),
    id: node.base_id,
    contentType: node.ctype,
    hashes: hashesOf(core, node),
    metadata: node.metadata === null ? null : (JSON.parse(node.metadata) as Metadata),
    complete: node.complete === 1,
  });
}

function hashesOf(core: Core, node: NodeRow): Hashes {
  if (core.remoteCan.hashes.length === 0) return {};
  const facts = node.content === null ? undefined : core.content.facts(node.content);
  return facts === undefined ? (node.base_hashes === null ? {} : (JSON.parse(node.base_hashes) as Hashes)) : core.content.hashesOf(facts);
}

/** To the precision that the remote keeps, so that it says the same afterwards. */
export function asKept(ms: number, { modifiedPrecisionMs }: Pick<Capabilities, "modifiedPrecisionMs">): number | null {
  return modifiedPrecisionMs === null ? null : Math.floor(ms / modifiedPrecisionMs) * modifiedPrecisionMs;
}

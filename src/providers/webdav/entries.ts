/** Entries from what PROPFIND and GET tell. Both tell the same: kind, size, modified time, etag. */
import { entry } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { textOf } from "./multistatus.ts";
import type { Resource } from "./multistatus.ts";
import type { WebdavProfile } from "./profiles.ts";

/** Asked for by name: what is asked for in general leaves out what costs the server something, and brings what nobody reads. */
export const PROPERTIES =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>';

export function isCollection({ href, props }: Resource): boolean {
  const { resourcetype: type } = props;
  // A server that does not tell the type at all still writes collections with a slash.
  if (type === undefined) return href.endsWith("/");
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.some((one) => typeof one === "object" && one !== null && "collection" in one);
}

export function entryOf(resource: Resource, path: StorePath, profile: WebdavProfile): Entry {
  const { getcontentlength, getlastmodified, getetag } = resource.props;
  if (isCollection(resource)) return entry({ path, kind: "directory", modifiedMs: timeOf(textOf(getlastmodified)), metadata: {} });
  return entry({
    path,
    kind: "file",
    size: sizeOf(textOf(getcontentlength)),
    modifiedMs: timeOf(textOf(getlastmodified)),
    etag: etagOf(textOf(getetag), profile),
    metadata: {},
  });
}

/** Of the answer to GET; `size` is that of the whole file. */
export function entryOfHeaders(path: StorePath, size: number | null, headers: { get(name: string): string | null }, profile: WebdavProfile): Entry {
  return entry({ path, kind: "file", size, modifiedMs: timeOf(headers.get("last-modified")), etag: etagOf(headers.get("etag"), profile), metadata: {} });
}

export function timeOf(text: string | null | undefined): number | null {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? null : ms;
}

export function sizeOf(text: string | null | undefined): number | null {
  const trimmed = text?.trim() ?? "";
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : null;
}

/** Without quotes, and without `W/` where the profile proves that a weak one is as good; null where it keeps no promise. */
export function etagOf(text: string | null | undefined, { etag }: WebdavProfile): string | null {
  if (etag === "none" || text === null || text === undefined) return null;
  const [, weak, quoted, bare] = /^\s*(W\/)?(?:"([^"]*)"|([^\s"]+))\s*$/.exec(text) ?? [];
  const value = quoted ?? bare ?? "";
  return value === "" || (weak !== undefined && etag === "strong") ? null : value;
}

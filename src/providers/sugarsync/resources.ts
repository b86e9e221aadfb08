/** Files and folders as the service shows them: alone, or as one of a page. */
import { StoreError, entry } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { refOf } from "./links.ts";
import type { Settings } from "./options.ts";
import { children, parseXml, textOf } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

export interface Item {
  /** The service's id: the path of its link. */
  readonly ref: string;
  readonly kind: "file" | "directory";
  /** As the service holds it. */
  readonly name: string;
  /** Bytes; 0 for folders. */
  readonly size: number;
  /** Of files. The time when a folder was made is no time of its content. */
  readonly modifiedMs: number | null;
  readonly contentType: string | null;
  /** False: the bytes are still on the computer that the file comes from. */
  readonly present: boolean;
}
/** One that was asked for by itself. */
export interface Resource extends Item {
  readonly parent: string;
}
export interface Page {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
  /** Index of the last one. */
  readonly end: number;
}

/** Seconds: what the service shows ends in ".000". */
export const PRECISION_MS = 1000;

export function entryOf(path: StorePath, { kind, ref, size, modifiedMs, contentType }: Item): Entry {
  return kind === "directory" ? entry({ path, kind, id: ref }) : entry({ path, kind, size, id: ref, modifiedMs, contentType });
}

/** Of the answer to GET, or to PUT, which has no link of its own. */
export function resourceOf(text: string, ref: string, settings: Settings): Resource {
  const element = parseXml(text);
  if (element.name !== "file" && element.name !== "folder") throw strange();
  const parent = textOf(element, "parent");
  return { ...itemOf(element, element.name === "folder" ? "directory" : "file", ref), parent: parent === undefined ? "" : refOf(parent, settings) };
}

/** @throws StoreError `unavailable` for what is no whole page: half a page must not read as a short listing. */
export function pageOf(text: string, settings: Settings): Page {
  const element = parseXml(text);
  const { hasMore, end } = element.attributes;
  if (element.name !== "collectionContents" || (hasMore !== "true" && hasMore !== "false") || !/^-?\d+$/.test(end ?? "")) throw strange();
  const items: Item[] = [];
  for (const one of [...children(element, "collection"), ...children(element, "file")]) {
    const ref = textOf(one, "ref");
    if (ref === undefined) throw strange();
    items.push(itemOf(one, one.name === "file" ? "file" : "directory", refOf(ref, settings)));
  }
  return { items, hasMore: hasMore === "true", end: Number(end) };
}

function itemOf(element: XmlElement, kind: Item["kind"], ref: string): Item {
  const name = textOf(element, "displayName");
  if (name === undefined) throw strange();
  if (kind === "directory") return { ref, kind, name, size: 0, modifiedMs: null, contentType: null, present: true };
  const size = Number(textOf(element, "size") ?? "");
  const told = Date.parse(textOf(element, "lastModified") ?? "");
  const contentType = textOf(element, "mediaType")?.trim();
  if (!Number.isSafeInteger(size)) throw strange();
  return {
    ref,
    kind,
    name,
    // -1: never any bytes.
    size: Math.max(0, size),
    modifiedMs: Number.isNaN(told) ? null : Math.floor(told / PRECISION_MS) * PRECISION_MS,
    contentType: contentType === undefined || contentType === "" ? null : contentType,
    present: textOf(element, "presentOnServer") !== "false" || size <= 0,
  };
}

function strange(): StoreError {
  return new StoreError("unavailable", "the service gave an answer that nobody expected");
}

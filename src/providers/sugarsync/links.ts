/** Links to resources: the service's ids. Kept as decoded paths, so that two ways to write one are equal. */
import { StoreError } from "../../store/index.ts";
import type { Settings } from "./options.ts";

/** "https://api.sugarsync.com/folder/:sc:566494:5" → "/folder/:sc:566494:5". The token goes to one host alone, whatever an answer says. */
export function refOf(link: string, { origin }: Pick<Settings, "origin">): string {
  let url: URL;
  try {
    url = new URL(link.trim());
  } catch (cause) {
    throw new StoreError("unavailable", "the service's answer holds a link that is none", { cause });
  }
  if (url.origin !== origin) throw new StoreError("config", "the service names another address than it was asked at: give the url that it knows itself by");
  try {
    return decodeURIComponent(url.pathname).replace(/\/+$/, "");
  } catch (cause) {
    throw new StoreError("unavailable", "the service's answer holds a link that is none", { cause });
  }
}

/** As in a request line. */
export function pathOf(ref: string): string {
  return ref.split("/").map(encodeURIComponent).join("/").replaceAll("%3A", ":");
}

export function linkOf(ref: string, { origin }: Pick<Settings, "origin">): string {
  return origin + pathOf(ref);
}

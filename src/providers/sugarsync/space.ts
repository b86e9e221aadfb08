/** Space: the quota of the user. */
import type { Space } from "../../store/index.ts";
import type { XmlElement } from "./xml.ts";
import { children, textOf } from "./xml.ts";

export function spaceOf(user: XmlElement): Space {
  const [quota] = children(user, "quota");
  const total = numberOf(quota, "limit");
  const used = numberOf(quota, "usage");
  return { used, total, free: total === null || used === null ? null : Math.max(0, total - used) };
}

/** What is no number of bytes is not told. */
function numberOf(quota: XmlElement | undefined, name: string): number | null {
  const text = quota === undefined ? undefined : textOf(quota, name)?.trim();
  const value = text === undefined || text === "" ? Number.NaN : Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

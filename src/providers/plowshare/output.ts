/** What commands print, by a template of ours: only lines that fit it count, whatever else a module says. */
import { isCode, isLink } from "./links.ts";
import type { HostLink } from "./links.ts";

/** In front of each line of ours. Templates know `%t` for a tab and `%n` for the end of the line. */
const MARK = "@stratus";
const templateOf = (...tokens: readonly string[]): string => `${MARK}%t${tokens.join("%t")}%n`;

export const templates: Readonly<Record<"up" | "down" | "probe" | "list", string>> = {
  up: templateOf("%u", "%d", "%a"),
  down: templateOf("%d"),
  probe: templateOf("%c", "%s", "%h", "%f"),
  list: templateOf("%u", "%f"),
};

/** The lines of ours, cut into so many fields; the last one may hold tabs. */
function lines(stdout: string, fields: number): string[][] {
  const found: string[][] = [];
  for (const line of stdout.split("\n")) {
    const [mark, ...rest] = line.split("\t");
    if (mark === MARK && rest.length >= fields) found.push([...rest.slice(0, fields - 1), rest.slice(fields - 1).join("\t")]);
  }
  return found;
}

/** Every link that an upload printed. A link that deletes is none if it is none; an upload without a link is not there. */
export function linksIn(host: string, stdout: string): HostLink[] {
  return lines(stdout, 3).flatMap(([url = "", remove = "", admin = ""]) =>
    isLink(url) ? [{ host, url, remove: isLink(remove) ? remove : null, admin: isCode(admin) ? admin : null }] : [],
  );
}

export interface Probed {
  readonly name: string;
  /** Bytes as the host says; many round. Null: not told. */
  readonly size: number | null;
  /** md5, sha1 or what the host has; lower-case hexadecimal. Null: not told. */
  readonly hash: string | null;
  /** The code of plowprobe for this link: 0 alive. */
  readonly status: number;
}
export function probesIn(stdout: string): Probed[] {
  return lines(stdout, 4).map(([status = "", size = "", hash = "", name = ""]) => ({
    name,
    size: /^\d{1,15}$/.test(size) ? Number(size) : null,
    hash: /^[0-9a-fA-F]{8,128}$/.test(hash) ? hash.toLowerCase() : null,
    status: /^\d{1,3}$/.test(status) ? Number(status) : 0,
  }));
}

export interface Listed {
  readonly url: string;
  readonly name: string;
}
export function listedIn(stdout: string): Listed[] {
  return lines(stdout, 2).flatMap(([url = "", name = ""]) => (isLink(url) ? [{ url, name }] : []));
}

/** Addresses that bytes come from. */
export function finalUrlsIn(stdout: string): string[] {
  return lines(stdout, 1).flatMap(([url = ""]) => (isLink(url) ? [url] : []));
}

/** The XML of the emulator: what it sends, and what it reads of requests. Apart from the provider's own on purpose: neither may hide a mistake of the other. */
export const escaped = (text: string): string => text.replace(/[&<>"\r]/g, (char) => `&#${char.charCodeAt(0)};`);

export const element = (name: string, text: string): string => `<${name}>${escaped(text)}</${name}>`;

export const xmlDocument = (body: string): string => `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${body}\n`;

/** Errors are pages for people, with the reason in an h3 (rclone, backend/sugarsync: errorHandler). */
export const errorPage = (status: number, reason: string): string =>
  `<html><head><title>Status page</title></head><body><h3>${escaped(reason)}</h3><p>You can get technical details <a href="#">here</a>.<br>${status}</p></body></html>\n`;

export interface Asked {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Text of each child by name; requests of this service are never deeper. */
  readonly fields: Readonly<Record<string, string>>;
}

const NAME = "[A-Za-z_][\\w.-]*";
const ATTRIBUTE = `\\s+(${NAME})\\s*=\\s*(?:"([^"<]*)"|'([^'<]*)')`;

/** A request body. Undefined: not well formed, or not UTF-8. */
export function readRequest(bytes: Uint8Array): Asked | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
  const body = text.replace(/^\s*<\?xml[^>]*\?>/, "").trim();
  const root = new RegExp(`^<(${NAME})((?:${ATTRIBUTE})*)\\s*(?:/>|>([\\s\\S]*)</\\1\\s*>)$`).exec(body);
  if (root === null) return undefined;
  const [, name = "", attributeText = ""] = root;
  const inner = root.at(-1) ?? "";
  const attributes: Record<string, string> = {};
  for (const [, key = "", double, single] of attributeText.matchAll(new RegExp(ATTRIBUTE, "g"))) {
    const value = plain(double ?? single ?? "");
    if (value === undefined) return undefined;
    attributes[key] = value;
  }
  const fields: Record<string, string> = {};
  const child = new RegExp(`\\s*<(${NAME})(?:${ATTRIBUTE})*\\s*(?:/>|>([^<]*)</\\1\\s*>)\\s*`, "y");
  while (child.lastIndex < inner.length) {
    const found = child.exec(inner);
    if (found === null) return undefined;
    const value = plain(found.at(-1) ?? "");
    if (value === undefined) return undefined;
    fields[found[1] as string] = value;
  }
  return { name, attributes, fields };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Undefined for an unknown entity and for what XML 1.0 cannot hold, however it is written. */
function plain(text: string): string | undefined {
  let bad = false;
  const out = text.replace(/\r\n?/g, "\n").replace(/&([^;&]*)(;?)/g, (_whole, entity: string, end: string) => {
    const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(entity);
    const code = number === null ? undefined : Number.parseInt((number[1] ?? number[2]) as string, number[1] === undefined ? 10 : 16);
    const char = code === undefined ? ENTITIES[entity] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (char === undefined || end === "") bad = true;
    return char ?? "";
  });
  return bad || /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(out) || !out.isWellFormed() ? undefined : out;
}

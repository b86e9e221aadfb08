/**
 * The XML of the Platform API, read strictly, and the little that is sent.
 *
 *   const page = parseXml(text);
 *   page.attributes["hasMore"];  textOf(page, "displayName");
 *
 * Elements, attributes, text, CDATA, comments, the five entities and character references: no DTD. What is not well formed throws, for half an answer must
 * never read as a short listing.
 */
export interface XmlElement {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The text directly inside, unescaped. Whitespace is kept: names consist of it too. */
  readonly text: string;
}

export class XmlError extends Error {
  override readonly name = "XmlError";
}

interface Open extends XmlElement {
  readonly qualified: string;
  readonly children: XmlElement[];
  text: string;
}

/** Deeper than any answer of the service, shallow enough that nothing can be overrun. */
const MAX_DEPTH = 32;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const ATTRIBUTE = /\s+(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;
const TAG = /(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;

export function parseXml(text: string): XmlElement {
  const stack: Open[] = [];
  let done: XmlElement | undefined;
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const add = (piece: string): void => {
    const open = stack.at(-1);
    if (open !== undefined) open.text += piece;
    else if (piece.trim() !== "") throw new XmlError("text outside of the root element");
  };
  const past = (end: string, from: number): number => {
    const found = text.indexOf(end, from);
    if (found === -1) throw new XmlError("cut off");
    return found;
  };
  const close = (element: XmlElement): void => {
    const open = stack.at(-1);
    if (open === undefined) done = element;
    else open.children.push(element);
  };
  while (at < text.length) {
    const next = text.indexOf("<", at);
    if (next !== at) {
      add(unescape(text.slice(at, next === -1 ? text.length : next)));
      if (next === -1) break;
    }
    at = next + 1;
    if (text.startsWith("![CDATA[", at)) {
      const end = past("]]>", at + 8);
      add(text.slice(at + 8, end));
      at = end + 3;
    } else if (text.startsWith("!--", at)) at = past("-->", at + 3) + 3;
    else if (text.startsWith("?xml", at) && stack.length === 0 && done === undefined) at = past("?>", at) + 2;
    else if (text[at] === "/") {
      const end = past(">", at);
      const open = stack.pop();
      if (open === undefined || open.qualified !== text.slice(at + 1, end).trimEnd()) throw new XmlError("a tag that closes nothing");
      close({ name: open.name, attributes: open.attributes, children: open.children, text: open.text });
      at = end + 1;
    } else {
      TAG.lastIndex = at;
      const tag = TAG.exec(text);
      if (tag === null) throw new XmlError("no element");
      if (stack.length === 0 && done !== undefined) throw new XmlError("two root elements");
      if (stack.length >= MAX_DEPTH) throw new XmlError("too deep");
      const [whole, name = "", attributeText = "", empty] = tag;
      const element: Open = {
        name,
        qualified: /^[^\s/>]+/.exec(whole)?.[0] ?? name,
        attributes: Object.fromEntries([...attributeText.matchAll(ATTRIBUTE)].map(([, key, double, single]) => [key, unescape(double ?? single ?? "")])),
        children: [],
        text: "",
      };
      at += whole.length;
      if (empty === "/") close(element);
      else stack.push(element);
    }
  }
  if (done === undefined || stack.length > 0) throw new XmlError("cut off");
  return done;
}

function unescape(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&([^;&]*);?/g, (whole: string, name: string) => {
    const known = ENTITIES[name];
    if (known !== undefined && whole.endsWith(";")) return known;
    const number = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    const code = number === null ? Number.NaN : Number.parseInt((number[1] ?? number[2]) as string, number[1] === undefined ? 10 : 16);
    if (!(code <= 0x10ffff) || !whole.endsWith(";")) throw new XmlError("an entity that nobody declared");
    return String.fromCodePoint(code);
  });
}

export function children(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((each) => each.name === name);
}
/** The text of the first child of that name; undefined where there is none. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return element.children.find((each) => each.name === name)?.text;
}

/** A request: one element, its children in this order, undefined ones left out. */
export function request(name: string, fields: Readonly<Record<string, string | undefined>>, attributes: Readonly<Record<string, string>> = {}): string {
  const head = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`);
  const inner = Object.entries(fields).map(([key, value]) => (value === undefined ? "" : `<${key}>${escapeXml(value)}</${key}>`));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${head.join("")}>${inner.join("")}</${name}>`;
}

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
}

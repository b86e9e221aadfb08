/**
 * The XML that S3 services send, read strictly, and the little that is sent to them.
 *
 *   const list = parseXml(text);            // the root element
 *   childText(list, "NextContinuationToken");  children(list, "Contents")
 *
 * Elements, text, CDATA, comments, the five entities and character references: no DTD, no other entity, no processing beyond the XML
 * declaration. What is not well formed throws, for half an answer must never read as a short listing. A full parser spends five times as long
 * on a page of 1,000 keys.
 */
export interface XmlElement {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** The text directly inside, unescaped. Whitespace is kept: names consist of it too. */
  readonly text: string;
}

export class XmlError extends Error {
  override readonly name = "XmlError";
}

interface Open {
  name: string;
  qualified: string;
  children: XmlElement[];
  text: string;
}

/** Deeper than any answer of S3, shallow enough that nothing can be overrun. */
const MAX_DEPTH = 32;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

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
      done = { name: open.name, children: open.children, text: open.text };
      stack.at(-1)?.children.push(done);
      at = end + 1;
    } else {
      const tag = /^([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>/.exec(text.slice(at, at + 2048));
      if (tag === null) throw new XmlError("no element");
      if (stack.length === 0 && done !== undefined) throw new XmlError("two root elements");
      if (stack.length >= MAX_DEPTH) throw new XmlError("too deep");
      const [whole, space = "", name = "", empty] = tag;
      at += whole.length;
      if (empty === "/") {
        const element: XmlElement = { name, children: [], text: "" };
        const open = stack.at(-1);
        if (open === undefined) done = element;
        else open.children.push(element);
      } else stack.push({ name, qualified: space + name, children: [], text: "" });
    }
  }
  if (done === undefined || stack.length > 0) throw new XmlError("cut off");
  return done;
}

export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name);
}
export function children(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((each) => each.name === name);
}
/** The text of the first child of that name; undefined where there is none. */
export function childText(element: XmlElement, name: string): string | undefined {
  return child(element, name)?.text;
}

/** True where XML 1.0 has no way at all to write this text: control characters, U+FFFE and U+FFFF. */
export function unwritable(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- these are the characters that it is about
  return /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/.test(text);
}

/** Line ends as references: a parser may turn a bare CR into LF, and a key that lost its CR is another key. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
}

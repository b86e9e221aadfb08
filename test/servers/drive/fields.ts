/** Partial answers: `fields=nextPageToken,files(id,parents)` (developers.google.com/workspace/drive/api/guides/fields-parameter). */
import { Refusal } from "./errors.ts";

type Mask = Map<string, Mask>;

/** Clients ask with the same few selections over and over. */
const parsed = new Map<string, Mask>();
const MOST_PARSED = 200;

function maskOf(text: string): Mask {
  let mask = parsed.get(text);
  if (mask === undefined) {
    mask = parse(text);
    if (parsed.size < MOST_PARSED) parsed.set(text, mask);
  }
  return mask;
}

/** @throws Refusal 400 `invalidParameter` for what is no selection */
function parse(text: string): Mask {
  let at = 0;
  const list = (): Mask => {
    const mask: Mask = new Map();
    for (;;) {
      const name = /^[\w*]+/.exec(text.slice(at))?.[0];
      if (name === undefined) throw wrong(text);
      at += name.length;
      let inner: Mask = new Map();
      if (text[at] === "/") {
        at++;
        const [rest] = [list()];
        inner = rest;
      } else if (text[at] === "(") {
        at++;
        inner = list();
        if (text[at++] !== ")") throw wrong(text);
      }
      mask.set(name, inner);
      if (text[at] !== ",") return mask;
      at++;
    }
  };
  const mask = list();
  if (at !== text.length) throw wrong(text);
  return mask;
}

function wrong(text: string): Refusal {
  return new Refusal(400, "invalidParameter", `Invalid field selection ${text}`, { parameter: "fields" });
}

function select(value: unknown, mask: Mask): unknown {
  if (mask.size === 0 || mask.has("*")) return value;
  if (Array.isArray(value)) return value.map((one) => select(one, mask));
  if (typeof value !== "object" || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [name, inner] of mask) if (Object.hasOwn(value, name)) out[name] = select((value as Record<string, unknown>)[name], inner);
  return out;
}

/** `known`: what may be asked for; anything else is 400, as Drive has it. */
export function masked(value: object, fields: string, known: ReadonlySet<string>): unknown {
  const mask = maskOf(fields.replaceAll(/\s/g, ""));
  const check = (one: Mask, depth: number): void => {
    for (const [name, inner] of one) {
      if (name !== "*" && !known.has(name)) throw wrong(name);
      if (depth < 3) check(inner, depth + 1);
    }
  };
  check(mask, 0);
  return select(value, mask);
}

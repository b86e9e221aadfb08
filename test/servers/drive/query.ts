/**
 * The search language of files.list (developers.google.com/workspace/drive/api/guides/ref-search-terms), as far as clients of files use it:
 * name, mimeType, trashed, parents, modifiedTime, createdTime, starred, properties, appProperties; and, or, not, brackets. What it cannot read is 400.
 *
 * `name = '…'` takes no notice of case. A quote and a backslash inside a text are written `\'` and `\\`.
 */
import { invalid } from "./errors.ts";
import type { File } from "./state.ts";

export interface Matches {
  (file: File, trashed: boolean): boolean;
  /** What does not lie in this folder, it does not match. */
  readonly parent?: string | undefined;
}

interface Token {
  readonly kind: "text" | "word" | "sign";
  readonly value: string;
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const piece = /\s*(?:'((?:[^'\\]|\\['\\])*)'|([A-Za-z][A-Za-z]*)|(<=|>=|!=|=|<|>|\(|\)|\{|\}))/y;
  const trimmed = text.trimEnd();
  while (piece.lastIndex < trimmed.length) {
    const match = piece.exec(trimmed);
    if (match === null) throw invalid("q");
    const [, quoted, word, sign] = match;
    if (quoted !== undefined) found.push({ kind: "text", value: quoted.replace(/\\(['\\])/g, "$1") });
    else if (word !== undefined) found.push({ kind: "word", value: word });
    else found.push({ kind: "sign", value: sign as string });
  }
  return found;
}

/** @throws Refusal 400 `invalid` at `q` */
export function parseQuery(text: string, rootId: string): Matches {
  const all = tokens(text);
  let at = 0;
  const next = (): Token => {
    const token = all[at++];
    if (token === undefined) throw invalid("q");
    return token;
  };
  const take = (kind: Token["kind"], ...values: string[]): string => {
    const token = next();
    if (token.kind !== kind || (values.length > 0 && !values.includes(token.value))) throw invalid("q");
    return token.value;
  };
  const peek = (kind: Token["kind"], value: string): boolean => all[at]?.kind === kind && all[at]?.value === value;

  const either = (): Matches => {
    let left = both();
    while (peek("word", "or")) {
      at++;
      const [one, other] = [left, both()];
      left = (file, trashed) => one(file, trashed) || other(file, trashed);
    }
    return left;
  };
  const both = (): Matches => {
    let left = single();
    while (peek("word", "and")) {
      at++;
      const [one, other] = [left, single()];
      left = Object.assign((file: File, trashed: boolean) => one(file, trashed) && other(file, trashed), { parent: one.parent ?? other.parent });
    }
    return left;
  };
  const single = (): Matches => {
    if (peek("word", "not")) {
      at++;
      const inner = single();
      return (file, trashed) => !inner(file, trashed);
    }
    if (peek("sign", "(")) {
      at++;
      const inner = either();
      take("sign", ")");
      return inner;
    }
    return term();
  };
  const term = (): Matches => {
    const token = next();
    if (token.kind === "text") {
      take("word", "in");
      take("word", "parents");
      const id = token.value === "root" ? rootId : token.value;
      return Object.assign((file: File) => file.parents.includes(id), { parent: id });
    }
    if (token.kind !== "word") throw invalid("q");
    switch (token.value) {
      case "name": {
        const how = next().value;
        const value = take("text").toLowerCase();
        if (how === "=") return ({ name }) => name.toLowerCase() === value;
        if (how === "!=") return ({ name }) => name.toLowerCase() !== value;
        // Of names only beginnings of words are matched.
        if (how === "contains")
          return ({ name }) =>
            name
              .toLowerCase()
              .split(/[^\p{L}\p{N}]+/u)
              .some((word) => word.startsWith(value)) || name.toLowerCase().startsWith(value);
        throw invalid("q");
      }
      case "mimeType": {
        const how = next().value;
        const value = take("text");
        if (how === "=") return ({ mimeType }) => mimeType === value;
        if (how === "!=") return ({ mimeType }) => mimeType !== value;
        if (how === "contains") return ({ mimeType }) => mimeType.startsWith(value);
        throw invalid("q");
      }
      case "trashed":
      case "starred": {
        const how = take("sign", "=", "!=");
        const wanted = (take("word", "true", "false") === "true") === (how === "=");
        return token.value === "trashed" ? (_, trashed) => trashed === wanted : () => !wanted;
      }
      case "modifiedTime":
      case "createdTime": {
        const how = take("sign", "<", "<=", "=", "!=", ">", ">=");
        const value = Date.parse(take("text"));
        if (Number.isNaN(value)) throw invalid("q");
        const of = (file: File): number => (token.value === "modifiedTime" ? file.modifiedMs : file.createdMs) - value;
        const tests = { "<": (n: number) => n < 0, "<=": (n: number) => n <= 0, "=": (n: number) => n === 0, "!=": (n: number) => n !== 0 };
        const test = { ...tests, ">": (n: number) => n > 0, ">=": (n: number) => n >= 0 }[how as "<"];
        return (file) => test(of(file));
      }
      case "properties":
      case "appProperties": {
        take("word", "has");
        take("sign", "{");
        take("word", "key");
        take("sign", "=");
        const key = take("text");
        take("word", "and");
        take("word", "value");
        take("sign", "=");
        const value = take("text");
        take("sign", "}");
        const which = token.value;
        return (file) => Object.hasOwn(file[which], key) && file[which][key] === value;
      }
      default:
        throw invalid("q");
    }
  };
  const whole = either();
  if (at !== all.length) throw invalid("q");
  return whole;
}

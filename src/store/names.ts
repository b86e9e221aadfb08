/**
 * The bijective name scheme: what a service cannot hold becomes a token `%{HEX}`, and nothing else changes.
 *
 *   const codec = nameCodec({ any: ":", reserved: (name) => name === "con" });
 *   codec.encode("a:b") === "a%{3A}b";   codec.decode("a%{3A}b") === "a:b";   codec.encode("100%") === "100%";
 *
 * A "%" is written as `%{25}` only where it would otherwise read as a token, so ordinary names with "%" stay as they are. `encode` is injective,
 * `decode(encode(n)) === n` for every name, and `encode(decode(n)) === n` for every name the service can hold.
 * Used the other way round (encode for showing, decode for asking) it shows names that no path can hold.
 */
export interface NameRules {
  /** Characters that stand nowhere in a name of the service. */
  readonly any?: string | undefined;
  /** Characters that no name starts with. */
  readonly first?: string | undefined;
  /** Characters that no name ends with. */
  readonly last?: string | undefined;
  /** Whole names the service refuses, or keeps for itself; judged on the encoded name. Their first character becomes a token. */
  readonly reserved?: ((name: string) => boolean) | undefined;
  /** The empty name is a name, written `%{}`. */
  readonly empty?: boolean | undefined;
  /** The service folds case: tokens are read in either case. */
  readonly fold?: boolean | undefined;
}
export interface NameCodec {
  encode(name: string): string;
  decode(native: string): string;
}

interface Token {
  /** How many `{25}` stand before it: none makes it the character, one or more a literal "%". */
  readonly escapes: number;
  readonly char: string;
  readonly end: number;
}

const tokenOf = (char: string): string => `%{${(char.codePointAt(0) as number).toString(16).toUpperCase()}}`;

export function nameCodec(rules: NameRules): NameCodec {
  const { any = "", first = "", last = "", reserved = () => false, empty = false, fold = false } = rules;

  /** At text[at] stands a "%": is it a token, perhaps behind some {25}? `rest` gives the native form of what follows. */
  function tokenAt(text: string, at: number, start: boolean, rest: (tail: string) => string): Token | undefined {
    let escapes = 0;
    let i = at + 1;
    const stands = (char: string, end: number): boolean => {
      const begins = start && at === 0;
      if (any.includes(char) || (begins && first.includes(char)) || (end === text.length && last.includes(char))) return true;
      return begins && reserved(char + rest(text.slice(end)));
    };
    for (; ; escapes++, i += 4) {
      if (empty && start && at === 0 && text.slice(i) === "{}") return { escapes, char: "", end: text.length };
      if (text.startsWith("{25}", i)) continue;
      const piece = text.slice(i, i + 8);
      const hex = /^\{([1-9A-F][0-9A-F]{0,5}|0)\}/.exec(fold ? piece.toUpperCase() : piece);
      const code = hex === null ? Infinity : Number.parseInt(hex[1] as string, 16);
      if (hex === null || code > 0x10ffff) return undefined;
      const char = String.fromCodePoint(code);
      const end = i + hex[0].length;
      return stands(char, end) ? { escapes, char, end } : undefined;
    }
  }

  function write(name: string, start: boolean): string {
    let out = "";
    let at = 0;
    for (const char of name) {
      const begins = start && at === 0;
      const ends = at + char.length === name.length;
      if (any.includes(char) || (begins && first.includes(char)) || (ends && last.includes(char))) out += tokenOf(char);
      else if (char === "%" && tokenAt(name, at, start, (tail) => write(tail, false)) !== undefined) out += "%{25}";
      else out += char;
      at += char.length;
    }
    return out;
  }

  return {
    encode(name) {
      if (name === "" && empty) return "%{}";
      const out = write(name, true);
      if (!reserved(out)) return out;
      const head = String.fromCodePoint(out.codePointAt(0) as number);
      return tokenOf(head) + out.slice(head.length);
    },
    decode(native) {
      let out = "";
      for (let at = 0; at < native.length;) {
        const found = native[at] === "%" ? tokenAt(native, at, true, (tail) => tail) : undefined;
        if (found === undefined) out += native[at++];
        else if (found.escapes > 0) {
          out += "%";
          at += 5;
        } else {
          out += found.char;
          at = found.end;
        }
      }
      return out;
    },
  };
}

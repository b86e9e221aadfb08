/** Random names full of what the scheme has to tell apart, and the tables of seven services (reference/providers.md 3.2). */
import { nameCodec } from "../../src/store/index.ts";
import type { NameCodec } from "../../src/store/index.ts";

const temporary = (name: string): boolean => /^\.stratus-[0-9a-z]{20}\.tmp$/.test(name);
const controls = Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join("");
const devices = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?: *\..*| *)$/i;

export interface Table {
  readonly name: string;
  readonly codec: NameCodec;
  /** Can the service hold this name? What it holds must come back as it is. */
  holds(name: string): boolean;
  /** Two names that the service takes for one may be one. */
  readonly fold: boolean;
}
function table(name: string, any: string, first: string, last: string, reserved: (name: string) => boolean, fold = false): Table {
  const has = (set: string, char: string | undefined): boolean => char !== undefined && set.includes(char);
  return {
    name,
    fold,
    codec: nameCodec({ any, first, last, reserved, fold }),
    holds: (text) =>
      text !== "" &&
      !Array.from(text).some((char) => any.includes(char)) &&
      !has(first, Array.from(text)[0]) &&
      !has(last, Array.from(text).at(-1)) &&
      !reserved(text),
  };
}
const webdav = `${controls}\u007f\ufffe\uffff`;
export const TABLES: readonly Table[] = [
  table("windows", `<>:"|?*\\${controls}`, "", ". ", (name) => devices.test(name) || temporary(name), true),
  table("webdav", webdav, "", "", temporary),
  table("nginx", webdav, ".", "", temporary),
  table("apache", webdav, "", "", (name) => /^\.(?:htaccess|dav|davfs\.tmp.*)$/i.test(name) || temporary(name)),
  table("dropbox", "\\\u007f", "", " ", (name) => /^(?:desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/i.test(name), true),
  table("drive", "/\0", "", "", (name) => name === "." || name === ".."),
  // The marker of Hadoop tools, `x_$folder$`, is no name for this scheme: it is known by its end, which a token for the first character leaves as it is.
  table("s3", "\0", "", "", (name) => name === "." || name === ".."),
];

const BITS = [
  "%",
  "%{",
  "%{25}",
  "{25}",
  "}",
  "{",
  "%{3A}",
  "%{3a}",
  "%{2E}",
  "%{5C}",
  "%{0}",
  "%{1}",
  "%{7F}",
  "%{20}",
  "%{110000}",
  "%{03A}",
  "%{}",
  "%{63}",
  "%{43}",
  ":",
  "\\",
  ".",
  " ",
  "a",
  "A",
  "con",
  "CON",
  "aux.txt",
  ".htaccess",
  "%{2E}htaccess",
  "desktop.ini",
  "%{64}esktop.ini",
  "_$folder$",
  "x_$folder$",
  "%{78}_$folder$",
  ".stratus-0123456789abcdefghij.tmp",
  "%{2E}stratus-0123456789abcdefghij.tmp",
  "\u0001",
  "\u007f",
  "\ufffe",
  "é",
  "\u{1f600}",
  "%{1F600}",
  "25",
  "/",
  "\0",
  "\r",
  "icon\r",
];
/** A generator of numbers that gives the same ones for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
export function randomName(random: () => number): string {
  const bits = 1 + Math.floor(random() * 5);
  let name = "";
  for (let i = 0; i < bits; i++) name += BITS[Math.floor(random() * BITS.length)] as string;
  return name;
}

/** The first name for which the scheme does not hold; undefined: it held for all. */
export function violation({ codec, holds, fold }: Table, count: number, seed: number): string | undefined {
  const random = numbers(seed);
  const natives = new Map<string, string>();
  const same = (name: string): string => (fold ? name.toLowerCase() : name);
  for (let i = 0; i < count; i++) {
    const name = randomName(random);
    const native = codec.encode(name);
    if (codec.decode(native) !== name) return `decode(encode(${JSON.stringify(name)})) is ${JSON.stringify(codec.decode(native))}`;
    if (!holds(native)) return `${JSON.stringify(name)} became ${JSON.stringify(native)}, which the service cannot hold`;
    const other = natives.get(native);
    if (other !== undefined && same(other) !== same(name)) return `${JSON.stringify(name)} and ${JSON.stringify(other)} both became ${JSON.stringify(native)}`;
    natives.set(native, name);
    const back = codec.encode(codec.decode(name));
    // On a service that folds case a token in lower case is the same name as the one in upper case.
    if (holds(name) && same(back) !== same(name)) return `encode(decode(${JSON.stringify(name)})) is ${JSON.stringify(back)}`;
  }
  return undefined;
}

/** One-bug stores that get names wrong: M41 to M50, and one for each family of names. */
import { posix } from "node:path";
import { parsePath } from "../../store/index.ts";
import { bentPaths, eachName } from "./bent-paths.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore, Bug } from "./broken.ts";

/** The bug is a function of one name, in every verb alike. */
function misnamed(bug: Omit<Bug, "below">, change: (name: string) => string, shown?: (name: string) => string): BrokenStore {
  const bend = eachName(change);
  return bugged({ ...bug, below: () => (inner) => bentPaths(inner, (path) => bend(path), shown) });
}

/** Decodes what can be decoded, as a server does that decodes once too often. */
function decoded(name: string): string {
  return name.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** At most so many bytes of UTF-8, no character cut. */
function cut(name: string, bytes: number): string {
  let end = 0;
  let length = 0;
  for (const character of name) {
    length += Buffer.byteLength(character);
    if (length > bytes) return name.slice(0, end);
    end += character.length;
  }
  return name;
}

/** M49: a space at the end becomes an escape, and a name that looks like the escape stays as it is. */
const escaped = (name: string): string => name.replace(/ +$/, (spaces) => "%{20}".repeat(spaces.length));
const unescaped = (name: string): string => name.replace(/(?:%\{20\})+$/, (tokens) => " ".repeat(tokens.length / 5));

/** The rows of section 8. */
const rows: readonly BrokenStore[] = [
  misnamed({ id: "M41", bug: "keys are lower-cased, and nothing says so", killedBy: ["paths.case"] }, (name) => name.toLowerCase()),
  bugged({
    id: "M41b",
    bug: "on a service that folds case, a move to another spelling deletes the file: it is copied onto itself and then its source is deleted",
    killedBy: ["paths.case.rename"],
    reference: { capabilities: { caseSensitive: false } },
    below: () => (inner) => ({
      async move(call) {
        if (call.path.toLowerCase() !== call.to.toLowerCase()) return inner.move(call);
        const entry = await inner.stat({ operation: "stat", path: call.path, signal: call.signal, detail: "full", fresh: true });
        await inner.delete({ operation: "delete", path: call.path, signal: call.signal, recursive: false, ifMatch: undefined });
        return { ...entry, path: call.to };
      },
    }),
  }),
  bugged({
    id: "M42",
    bug: "names are normalised to NFC when written, and in no other verb",
    killedBy: ["paths.normalisation", "names.canonical"],
    below: () => (inner) => bentPaths(inner, (path, verb) => (verb === "write" ? parsePath(path.normalize("NFC")) : path)),
  }),
  misnamed(
    { id: "M43", bug: "compatibility characters collapse into their plain twins (NFKC), and nothing says so", killedBy: ["names.compatibility"] },
    (name) => name.normalize("NFKC"),
  ),
  misnamed({ id: "M44", bug: "names are percent-decoded once too often, in all verbs alike", killedBy: ["names.percent", "names.random"] }, decoded),
  misnamed(
    {
      id: "M44b",
      bug: "names are escaped twice on the way in and decoded twice on the way out: only another client sees it",
      killedBy: ["reads.foreign"],
      raw: true,
    },
    encodeURIComponent,
    decodeURIComponent,
  ),
  misnamed({ id: "M45", bug: 'a "#" or "?" ends the name', killedBy: ["names.url"] }, (name) => name.replace(/(?<=.)[#?].*$/s, "")),
  misnamed({ id: "M46", bug: 'a "+" becomes a space', killedBy: ["names.url"] }, (name) => name.replaceAll("+", " ")),
  misnamed({ id: "M47", bug: "spaces at the end of a name are trimmed", killedBy: ["names.ascii.every", "names.spaces"] }, (name) => name.replace(/ +$/, "")),
  misnamed({ id: "M47b", bug: "dots at the end of a name are trimmed", killedBy: ["names.dots"] }, (name) => name.replace(/\.+$/, "")),
  misnamed({ id: "M48", bug: "names are cut at 255 bytes, silently", killedBy: ["lengths.name.distinct"] }, (name) => cut(name, 255)),
  bugged({
    id: "M48b",
    bug: "keys are cut at 1,024 bytes, silently",
    killedBy: ["lengths.path"],
    below: () => (inner) => bentPaths(inner, (path) => parsePath(cut(path, 1024).replace(/\/$/, "x"))),
  }),
  bugged({
    id: "M48c",
    bug: "a name beyond the declared length is accepted and cut",
    killedBy: ["lengths.name.over"],
    reference: { capabilities: { maxNameBytes: 200 } },
    // The front below refuses long names, so they are cut where the caller is.
    above: () => (store) => {
      const short = (path: string): string =>
        path
          .split("/")
          .map((name) => cut(name, 200))
          .join("/");
      return {
        write: (path, body, options) => store.write(short(path), body, options),
        read: (path, options) => store.read(short(path), options),
        stat: (path, options) => store.stat(short(path), options),
      };
    },
  }),
  misnamed(
    {
      id: "M49",
      bug: 'the escape of one name is another legal name: "a " is kept as "a%{20}", which stays as it is',
      killedBy: ["names.together", "names.percent-malformed"],
    },
    escaped,
    unescaped,
  ),
  bugged({
    id: "M50",
    bug: "dot-dot segments, double slashes and slashes at the end are resolved, so that a path leaves the directory it seems to be in",
    killedBy: ["paths.dots", "paths.slashes"],
    above: () => (store) => {
      const resolved = (path: string): string => (typeof path === "string" && path.startsWith("/") ? posix.resolve(path) : path);
      return {
        stat: (path, options) => store.stat(resolved(path), options),
        read: (path, options) => store.read(resolved(path), options),
        write: (path, body, options) => store.write(resolved(path), body, options),
        list: (path, options) => store.list(resolved(path), options),
        delete: (path, options) => store.delete(resolved(path), options),
        mkdir: (path, options) => store.mkdir(resolved(path), options),
        copy: (from, to, options) => store.copy(resolved(from), resolved(to), options),
        move: (from, to, options) => store.move(resolved(from), resolved(to), options),
      };
    },
  }),
  bugged({
    id: "M50b",
    bug: "a backslash is taken for a slash, and dots next to one lead out of the directory",
    killedBy: ["names.backslash"],
    below: () => (inner) => bentPaths(inner, (path) => parsePath(posix.resolve(path.replaceAll("\\", "/")))),
  }),
];

/** Beyond the list of section 8: one for each family of names that needs one. */
const families: readonly BrokenStore[] = [
  misnamed({ id: "A02", bug: "brackets are dropped from names, as by a template", killedBy: ["names.brackets"] }, (name) => name.replace(/[[\]{}()]/g, "")),
  misnamed({ id: "A03", bug: "a carriage return comes back as a line feed, as from an XML parser", killedBy: ["names.line-ends"] }, (name) =>
    name.replace(/\r\n?/g, "\n"),
  ),
  misnamed({ id: "A04", bug: "control characters become replacement characters", killedBy: ["names.controls"] }, (name) => name.replace(/\p{Cc}/gu, "\ufffd")),
  misnamed({ id: "A05", bug: "characters that cannot be seen are dropped", killedBy: ["names.invisible"] }, (name) => name.replace(/\p{Cf}/gu, "")),
  misnamed({ id: "A07", bug: "names go through Latin-1", killedBy: ["names.unicode"] }, (name) => name.replace(/[^\u0000-\u00ff]/gu, "?")),
  misnamed({ id: "A08", bug: "characters of four bytes are dropped, as by a database column of three", killedBy: ["names.astral"] }, (name) =>
    name.replace(/[\u{10000}-\u{10ffff}]/gu, "\ufffd"),
  ),
  misnamed({ id: "A12", bug: "a name that is nothing but spaces is trimmed to one", killedBy: ["names.space-alone"] }, (name) =>
    name.trim() === "" ? " " : name,
  ),
  misnamed({ id: "A45", bug: "an escaped slash is decoded, and its first half taken for the name", killedBy: ["names.percent-delimiter"] }, (name) =>
    name.replace(/(?<=.)%2f.*$/i, ""),
  ),
  misnamed({ id: "A46", bug: "a colon ends the name, as on NTFS", killedBy: ["names.punctuation"] }, (name) => name.replace(/(?<=.):.*$/s, "")),
  bugged({
    id: "A06",
    bug: "temporary names are hidden from listings, also where they are a user's",
    killedBy: ["names.reserved"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return { ...page, entries: page.entries.filter(({ path }) => !/\/\.stratus-[0-9a-z]{20}\.tmp$/.test(path)) };
      },
    }),
  }),
  bugged({
    id: "A47",
    bug: "the last directory of a deep path is left out of its parent's listing",
    killedBy: ["names.nested"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return { ...page, entries: page.entries.filter(({ kind, path }) => kind === "file" || path.split("/").length < 4) };
      },
    }),
  }),
];

export const broken: readonly BrokenStore[] = [...rows, ...families];

/** Paths and addresses, in both directions: CF95 and the bijective scheme. */
import { describe, expect, test } from "vitest";
import { namesOf } from "../../../src/providers/webdav/names.ts";
import { settingsOf } from "../../../src/providers/webdav/options.ts";
import { profiles } from "../../../src/providers/webdav/profiles.ts";
import type { WebdavServer } from "../../../src/providers/webdav/profiles.ts";
import { parsePath, root } from "../../../src/store/index.ts";
import type { StorePath } from "../../../src/store/index.ts";

const names = (server: WebdavServer, url = "http://h:8080/dav/") => namesOf(settingsOf({ url, server }));
const path = (text: string): StorePath => parsePath(text);

/** Seeded, so that a failure comes again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
/** Full of what the scheme must not confuse: tokens, halves of tokens, escapes, the names that servers keep. */
const PIECES = [
  "%",
  "{25}",
  "{2E}",
  "{1}",
  "{",
  "}",
  "%{25}",
  "%{1}",
  "%{2E}",
  "%{7F}",
  "%2E",
  "a",
  "b c",
  " ",
  ".",
  "..",
  "\\",
  "\u0001",
  "\u007f",
  "\ufffe",
  "ü",
  "😀",
  "é",
  "\u0178",
  "{178}",
  "\ufeff",
  ".htaccess",
  ".DAV",
  ".part",
  ".stratus-00000000000000000000.tmp",
  "?",
  "#",
  "&",
  "<",
  "+",
  ":",
  "'",
];
function randomName(random: () => number): string {
  let name = "";
  for (let n = 1 + Math.floor(random() * 5); n > 0; n--) name += PIECES[Math.floor(random() * PIECES.length)];
  return name === "." || name === ".." ? `${name}x` : name;
}

describe("names of the store and of the server", () => {
  test.each(Object.keys(profiles) as WebdavServer[])("CF95 %s: random names come back from a listing as they were written, and never two as one", (server) => {
    const random = seeded(42);
    const { file, child, directory } = names(server);
    const seen = new Map<string, string>();
    let kept = 0;
    for (let round = 0; round < 20_000; round++) {
      const name = randomName(random);
      if (server === "nextcloud" && name.endsWith(".part")) continue; // Refused, see below.
      const there = path(`/d/${name}`);
      const href = file(there);
      expect(href.split("/").length, href).toBe(4);
      expect(seen.get(href) ?? name).toBe(name);
      seen.set(href, name);
      expect(child(href, path("/d"), directory(path("/d")))).toBe(there);
      expect(child(`http://h:8080${href}/`, path("/d"), directory(path("/d")))).toBe(there);
      kept++;
    }
    expect(kept).toBeGreaterThan(18_000);
  });

  test("ordinary names stay as they are, percent signs included", () => {
    const { file } = names("apache");
    expect(file(path("/100%/a%20b/%{2E}x"))).toBe("/dav/100%25/a%2520b/%25%7B2E%7Dx");
    expect(file(root)).toBe("/dav/");
  });

  test("what a server keeps for itself or cannot hold is written as a token", () => {
    expect(decodeURIComponent(names("apache").file(path("/.HTaccess")))).toBe("/dav/%{2E}HTaccess");
    expect(decodeURIComponent(names("nginx").file(path("/.profile")))).toBe("/dav/%{2E}profile");
    expect(decodeURIComponent(names("lighttpd").file(path("/a\tb")))).toBe("/dav/a%{9}b");
    expect(() => names("nextcloud").file(path("/x.part"))).toThrow(expect.objectContaining({ code: "invalid-path" }));
  });

  test("a user's file of the shape of a temporary one is encoded; the provider's own are hidden", () => {
    const { file, child, temporary } = names("sabredav");
    const shape = "/.stratus-00000000000000000000.tmp";
    expect(decodeURIComponent(file(path(shape)))).toBe("/dav/%{2E}stratus-00000000000000000000.tmp");
    const own = temporary(path("/a"));
    expect(own).toMatch(/^\/dav\/a\/\.stratus-[0-9a-z]{20}\.tmp$/);
    expect(child(own, path("/a"), "/dav/a/")).toBeNull();
    // Only that shape: others that begin like it are a user's.
    expect(child("/dav/a/.stratus-.tmp", path("/a"), "/dav/a/")).toBe("/a/.stratus-.tmp");
  });

  test("too long is refused before any request, by bytes after encoding", () => {
    expect(() => names("lighttpd").file(path(`/${"x".repeat(237)}`))).toThrow(/more than 236 bytes/);
    expect(() => names("apache").file(path(`/${"ü".repeat(128)}`))).toThrow(expect.objectContaining({ code: "invalid-path" }));
    expect(() => names("apache").file(path(`/${"x".repeat(200)}`.repeat(20)))).toThrow(expect.objectContaining({ code: "invalid-path" }));
  });

  test("answers are compared decoded: absolute, escaped otherwise, with and without a slash", () => {
    const { same, child } = names("sabredav", "http://h:8080/d%C3%A4v/x");
    expect(same("/d%c3%a4v/x/a%20b/", "/d%C3%A4v/x/a%20b")).toBe(true);
    expect(same("http://h:8080/däv/x/a b", "/d%C3%A4v/x/a%20b")).toBe(true);
    expect(same("/d%C3%A4v/x/a%20bc", "/d%C3%A4v/x/a%20b")).toBe(false);
    expect(child("http://other/d%c3%a4v/x/%61", root, "/d%C3%A4v/x/")).toBe("/a");
    expect(child("/d%C3%A4v/x/a/b", root, "/d%C3%A4v/x/")).toBeNull();
    expect(child("/elsewhere/a", root, "/d%C3%A4v/x/")).toBeNull();
  });

  test("foreign names that no path can say are no part of the store", () => {
    const { child } = names("apache");
    for (const href of ["/dav/.htaccess", "/dav/%2E%2E", "/dav/a%2Fb", "/dav/%FF", "/dav/%00", "/dav/%7F"]) expect(child(href, root, "/dav/"), href).toBeNull();
  });

  test("SabreDAV under PHP 8.1 and 8.2 takes rare characters for pairs of Latin-1 ones: they are tokens, what they would read as is not", () => {
    const { file } = names("sabredav");
    const native = (name: string): string => decodeURIComponent(file(path(`/${name}`)));
    expect(native("\u0178")).toBe("/dav/%{178}");
    expect(native("\u00c5\u00b8")).toBe("/dav/\u00c5\u00b8");
    expect(native("%{178}\ufeffx%{41}")).toBe("/dav/%{25}{178}%{FEFF}x%{41}");
    expect(native("äöü Привет 日本 👍")).toBe("/dav/äöü Привет 日本 👍");
    expect(names("apache").file(path("/\u0178"))).toBe("/dav/%C5%B8");
  });

  test("a server that rewrites names to NFC is understood", () => {
    const { same } = names("nextcloud");
    expect(same(`/dav/${encodeURIComponent("é")}`, `/dav/${encodeURIComponent("e\u0301")}`)).toBe(true);
    expect(names("apache").same(`/dav/${encodeURIComponent("é")}`, `/dav/${encodeURIComponent("e\u0301")}`)).toBe(false);
  });
});

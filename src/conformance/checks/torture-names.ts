/**
 * Names that services, clients and encodings are known to get wrong, by family. Each family is a check of its own; all of them together are
 * another, because two names that survive alone may still be one file together.
 */
import type { Tier } from "../check.ts";

export interface NameFamily {
  /** The check is `names.<id>`. */
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly tier: Tier;
  readonly behaviours: readonly number[];
  readonly rows?: readonly string[];
  readonly kills: readonly string[];
  /** Within one family every name differs from every other: a store that mixes two of them up is found out here. */
  readonly names: readonly string[];
}

const controls = Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join("");

export const families: readonly NameFamily[] = [
  {
    id: "spaces", tier: "smoke", behaviours: [2], kills: ["M47", "M54"],
    title: "spaces inside, in front of and behind a name belong to it",
    why: "Windows, SharePoint and several clouds trim trailing spaces, HTML-minded clients collapse inner ones: two files become one.",
    names: ["a b", "a  b", " a b", "a b ", "  a b", "a b  ", "a\u00a0b", " a b "],
  },
  {
    id: "space-alone", tier: "full", behaviours: [2], kills: ["A12"],
    title: "a name that is nothing but a space is a name",
    why: "The S3 key \" \" is legal and vanishes in clients that trim before they test for emptiness.",
    names: [" ", "  ", "\u00a0", "\u3000"],
  },
  {
    id: "dots", tier: "smoke", behaviours: [23], kills: ["M47b"],
    title: "dots and tildes in front of and behind a name belong to it",
    why: "Windows drops trailing dots, nginx hides dot-files, back-up tools and WebDAV servers treat \"~\" files as temporary.",
    names: [".hidden", "name", "name.", "name..", "..name", "...", "....", "~", "~name", "name~", ".name.", ". .", ".~lock.name#"],
  },
  {
    id: "percent", tier: "smoke", behaviours: [8], kills: ["M44"],
    title: "a literal percent sequence is not its decoded name",
    why: "One decoding too many makes \"a%41\" and \"aA\" one file, in write and read alike, so that only storing both shows it.",
    names: ["a%41", "aA", "%48%45", "HE", "a%20b", "a b", "100%", "100%25", "%2525", "%25", "%"],
  },
  {
    id: "percent-delimiter", tier: "full", behaviours: [9], kills: ["A45"],
    title: "an escaped slash inside a name does not make a directory",
    why: "Servers decode before they split, so \"a%2Fb\" becomes \"b\" in the directory \"a\", and a listing shows a directory that nobody made.",
    names: ["a%2Fb", "a%2fb", "%2F", "a%252Fb", "%2E%2E", "%2e", "a%5Cb", "a%00b", "a%0Ab"],
  },
  {
    id: "percent-malformed", tier: "full", behaviours: [10], kills: ["M49"],
    title: "lone and malformed percent signs, and what looks like an escape of ours, are ordinary characters",
    why: "decodeURIComponent throws on \"%Q\"; and an encoder whose escapes are legal names must escape those too, or two names meet.",
    names: ["%Q", "%4", "%%", "%E4", "%u0041", "%C3%28", "a%", "%{25}", "%{2F}", "%{}", "%{41}", "%{25}{25}", "%{25}{2F}", "%{2E}", "%{20}", "%{1F}", "%{xFF}", "%{D800}", "%{00}", "a", "a ", "a%{20}", "a%{25}{20}", "\u001f"],
  },
  {
    id: "url", tier: "smoke", behaviours: [11], kills: ["M45", "M46"],
    title: "characters with a meaning in URLs and XML are ordinary characters",
    why: "An unescaped \"#\" or \"?\" cuts the name (litmus tests the fragment in a DELETE: the wrong resource goes), \"+\" becomes a space, \"&\" breaks the XML of a listing.",
    names: ["a", "a#b", "a?b", "a&b", "a+b", "a b", "a<b", "a>b", "a\"b", "a'b", "a;b=c", "a=b", "a,b", "a:b", "a@b", "#", "?", "+", "&amp;", "a?versionId=1", "a#b?c"],
  },
  {
    id: "brackets", tier: "full", behaviours: [12], kills: ["A02"],
    title: "square, curly and round brackets are ordinary characters",
    why: "Glob-minded clients and URI parsers (IPv6, templates) give brackets a meaning: a delete of \"[ab]\" deletes \"a\".",
    names: ["[ab]", "a", "b", "{a,b}", "(a)", "[", "]", "{", "}", "{}", "[]", "a[0]", "a*", "*", "$a", "${a}", "`a`", "!a", "^a", "|a"],
  },
  {
    id: "line-ends", tier: "full", behaviours: [3], kills: ["A03"],
    title: "carriage return, line feed and tab at either end of a name belong to it",
    why: "XML parsers turn a carriage return into a line feed, header parsers strip both: \"a\\r\" comes back as \"a\".",
    names: ["a", "a\r", "a\n", "a\r\n", "\na", "\ra", "\ta", "a\t", "\va", "a\v", "a\nb", "a\rb", "a\tb"],
  },
  {
    id: "controls", tier: "full", behaviours: [4], kills: ["A04"],
    title: "control characters are ordinary characters, or refused where declared",
    why: "XML 1.0 cannot hold most of them: one such name makes the listing of a whole directory unreadable.",
    names: [controls, controls.slice(0, 8), controls.slice(8, 16), controls.slice(16, 24), controls.slice(24), "\u0001", "\u001f", "\u007f", "a\u007fb", "\u0085", "a\u0080b", "\u2028", "\u2029", "\ufffe", "\uffff", "\ufffd"],
  },
  {
    id: "punctuation", tier: "full", behaviours: [6], kills: ["A46"],
    title: "every punctuation character is an ordinary character",
    why: "Each service reserves others; an adapter knows those it met.",
    names: ["!\"#$%&'()*+,-.", ":;<=>?@", "[\\]^_`", "{|}~", "!\"#$%&'()*+,-.:;<=>?@[\\]^_`{|}~", ..."!\"$&'()*,-:;<=>@[\\]^_`{|}~"],
  },
  {
    id: "backslash", tier: "full", behaviours: [7, 20], kills: ["M50b"],
    title: "a backslash is no separator, and dots next to one lead nowhere",
    why: "Windows, SMB and some servers take it for a slash: \"..\\\\x\" then leaves the directory of the store.",
    names: ["a\\b", "\\", "\\\\", "a\\\\b", "\\a", "a\\", "..\\a", "..\\..\\a", ".\\a", "a\\..\\b", "C:\\a", "\\\\host\\share"],
  },
  {
    id: "unicode", tier: "smoke", behaviours: [14], rows: ["CF95"], kills: ["A07"],
    title: "names beyond ASCII in the Basic Multilingual Plane round-trip",
    why: "The oldest bug of all: a name goes through Latin-1 or is escaped twice on the way.",
    names: ["äöü ÄÖÜ ß", "naïve café", "日本語.txt", "中文文件", "한국어", "Ελληνικά", "Кириллица", "עברית", "العربية", "हिन्दी", "ไทย", "œ€", "Ÿ"],
  },
  {
    id: "astral", tier: "smoke", behaviours: [13], rows: ["CF95"], kills: ["A08"],
    title: "emoji, flags and other characters of four bytes round-trip",
    why: "Three-byte \"utf8\" columns and UTF-16 code that counts units cut or refuse them.",
    names: ["😀", "😀😁", "🇩🇪", "🇪🇩", "👩‍👩‍👧", "👍🏽", "👍", "𝒳", "𠜎", "a😀b", "💾.txt"],
  },
  {
    id: "compatibility", tier: "full", behaviours: [16], kills: ["M43"],
    title: "fullwidth forms, ligatures and other compatibility characters are not their plain twins",
    why: "A service that folds NFKC merges \"Ａ\" and \"A\"; in 2026 a backend failed its suite for this only on the account used in CI.",
    names: ["A", "Ａ", "ﬁ", "fi", "x²", "x2", "①", "1", "ｶ", "カ", "㎏", "kg", "／", "．．", "％41", "ſ", "Å", "a\u2003b", "a b"],
  },
  {
    id: "invisible", tier: "full", behaviours: [17], kills: ["A05"],
    title: "zero-width characters, direction marks and look-alikes are part of the name",
    why: "They are stripped by forms and editors on the way, and a look-alike of \"..\" must not become one.",
    names: ["ab", "a\u200bb", "a\u200db", "a\u2060b", "\ufeffab", "ab\ufeff", "a\u202eb", "a\u200eb", "a\u00adb", "\u2024\u2024", "\u2025", "\uff0e\uff0e", "аb", "a\u0338b", "a\u2215b", "a\u2044b"],
  },
  {
    id: "reserved", tier: "full", behaviours: [6, 23], kills: ["A06"],
    title: "names that services and systems keep for themselves are ordinary names",
    why: "CON and NUL are devices on Windows, .htaccess configures Apache, _$folder$ marks directories of other tools in S3, .DS_Store is dropped by sync clients.",
    names: [
      "CON", "NUL", "PRN", "AUX", "COM1", "LPT1", "con.txt", "NUL.tar.gz", ".htaccess", ".htpasswd", ".DAV", ".davfs.tmpabc", "x_$folder$", "_$folder$", "desktop.ini", "Thumbs.db", ".DS_Store",
      "Icon\r", ".stratus-0123456789abcdefghij.tmp", ".stratus-.tmp", "file.part", "file.filepart", "file.tmp", "lost+found", ".git", "index.html", "__proto__", "constructor", "toString", "null", "undefined", "NaN", "0", "-1", "true",
    ],
  },
  {
    id: "canonical", tier: "full", behaviours: [15], kills: ["M42"],
    title: "composed and decomposed forms are two names where names are kept, and one file where the service says that it folds them",
    why: "macOS clients send NFD, others NFC; a store that normalises on write but not in its listing shows files that cannot be read.",
    names: ["é", "e\u0301", "ü.txt", "u\u0308.txt", "각", "\u1100\u1161\u11a8", "Å", "A\u030a", "\u212b", "ạ̈", "a\u0308\u0323", "a\u0323\u0308"],
  },
];

export const allNames: readonly string[] = [...new Set(families.flatMap((family) => family.names))];

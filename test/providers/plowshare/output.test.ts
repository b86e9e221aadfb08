/** What is believed of the commands' output. */
import { expect, test } from "vitest";
import { isLink } from "../../../src/providers/plowshare/links.ts";
import { finalUrlsIn, linksIn, listedIn, probesIn } from "../../../src/providers/plowshare/output.ts";

test("a link is http or https with the characters of a URL, and holds no second one", () => {
  for (const link of ["http://a.invalid/f/1", "https://a.invalid/?x=1&y=%20#z", "http://[::1]:80/x", "http://a/(b)~c*d+e,f;g@h!$=[i]"])
    expect(isLink(link), link).toBe(true);
  for (const text of [
    "",
    "ftp://a/x",
    "http://",
    "http:///x",
    "http://a b",
    "http://a/\t",
    "http://a/\n",
    "http://a/'",
    'http://a/"',
    "http://a/`id`",
    "http://a/\\",
    "http://a/|",
    "http://a/<b>",
    "http://ä.invalid/",
    "http://a/http://b/",
    "https://a/?u=HTTPS://b/",
    `http://a/${"x".repeat(5000)}`,
    "-o http://a/",
  ])
    expect(isLink(text), text.slice(0, 40)).toBe(false);
});

test("PS2: only lines by our template count", () => {
  const link = { host: "h", url: "http://a/f", remove: "http://a/d", admin: "code" };
  expect(linksIn("h", "http://evil/x\n#DEL http://evil/d\n@stratus\thttp://a/f\thttp://a/d\tcode\nnoise\n")).toEqual([link]);
  // Neither deletion link nor code: a copy all the same. Odd ones are none.
  expect(linksIn("h", "@stratus\thttp://a/f\t\t\n")).toEqual([{ ...link, remove: null, admin: null }]);
  expect(linksIn("h", "@stratus\thttp://a/f\trm -rf\ttwo words\n")).toEqual([{ ...link, remove: null, admin: null }]);
  for (const hostile of [
    "",
    "\0\0\0",
    "@stratus\n",
    "@stratus\thttp://a/f\n",
    "@stratus\t\t\t\n",
    "@stratus\tfile:///etc/passwd\t\t\n",
    "x@stratus\thttp://a/f\t\t\n",
    "\ufffd\ufffd",
  ])
    expect(linksIn("h", hostile), hostile).toEqual([]);
});

test("PS13, PS14: numbers are numbers or not told, names may hold anything but a new line", () => {
  expect(probesIn("@stratus\t0\t12\tABCDEF01\ta\tname\n")).toEqual([{ status: 0, size: 12, hash: "abcdef01", name: "a\tname" }]);
  expect(probesIn("@stratus\t\t1e9\tno hash\t\n")).toEqual([{ status: 0, size: null, hash: null, name: "" }]);
  expect(probesIn(`@stratus\t99999\t${"9".repeat(30)}\t\tx\n`)).toEqual([{ status: 0, size: null, hash: null, name: "x" }]);
  expect(listedIn("@stratus\thttp://a/f\tname one\n@stratus\tnone\tx\n")).toEqual([{ url: "http://a/f", name: "name one" }]);
  expect(finalUrlsIn("@stratus\thttp://a/f\n@stratus\tjavascript:x\n")).toEqual(["http://a/f"]);
});

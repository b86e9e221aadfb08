/** Options that cannot be meant, what a store says of itself, and the capabilities of each profile, which are the table of docs/providers/webdav.md. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { webdav, webdavProfiles } from "../../../src/providers/webdav/index.ts";
import type { WebdavOptions, WebdavServer } from "../../../src/providers/webdav/index.ts";
import type { Capabilities } from "../../../src/store/index.ts";

const url = "http://h:8080/dav";

describe("options", () => {
  test.each<readonly [string, unknown]>([
    ["no url", {}],
    ["no object", undefined],
    ["no URL", { url: "dav.example.org/files" }],
    ["another scheme", { url: "ftp://h/" }],
    ["credentials in the url", { url: "http://user:secret@h/" }],
    ["a query", { url: "http://h/?a=b" }],
    ["a path that is not UTF-8", { url: "http://h/%FF" }],
    ["an unknown option", { url, usernam: "x" }],
    ["a user without a password", { url, username: "u" }],
    ["token and user", { url, username: "u", password: "p", token: "t" }],
    ["a user with a colon", { url, username: "u:v", password: "p" }],
    ["a token with a line break", { url, token: "a\r\nX: y" }],
    ["an unknown scheme", { url, auth: "ntlm" }],
    ["an unknown server", { url, server: "iis" }],
    ["a time of text", { url, timeoutMs: "5s" }],
    ["a time out of bounds", { url, timeoutMs: 1 }],
    ["half a call", { url, concurrency: 1.5 }],
    ["a header with a line break", { url, headers: { "X-A": "b\r\nc" } }],
    ["a header of the provider's own", { url, headers: { Authorization: "x" } }],
  ])("%s is config, and no secret is in it", (_what, options) => {
    let caught: unknown;
    try {
      webdav(options as WebdavOptions);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: "config" });
    expect(String(caught)).not.toContain("secret");
  });

  test("CF86 a base path and a port of any form", () => {
    for (const [given, shown] of [
      ["http://h", "url=http://h/ "],
      ["http://h:80/", "url=http://h/ "],
      ["https://h:8443/a//b", "url=https://h:8443/a/b/ "],
      ["http://[::1]:81/ä", "url=http://[::1]:81/%C3%A4/ "],
    ] as const)
      expect(webdav({ url: given }).toString()).toContain(shown);
  });

  test("a store prints itself without its secrets", () => {
    const store = webdav({ url, username: "ann", password: "hunter2", server: "apache" });
    expect(store.toString()).toBe("webdav url=http://h:8080/dav/ server=apache");
    expect(JSON.stringify(store.layers.webdav.settings)).not.toContain("hunter2");
  });

  test("a profile of one's own", () => {
    const store = webdav({ url, server: { ...webdavProfiles.generic, name: "acme", etag: "strong" }, concurrency: 32 });
    expect(store.capabilities).toMatchObject({ etag: true, readIfMatch: "emulated", concurrency: 32, atomicWrites: "emulated" });
    expect(store.toString()).toContain("server=acme");
  });
});

describe("capabilities", () => {
  const columns = ["apache", "lighttpd", "nginx", "sabredav", "rclone", "nextcloud", "generic"] as const satisfies readonly WebdavServer[];
  const plain: Readonly<Record<string, unknown>> = { N: "native", E: "emulated", "–": false, yes: true, no: false };

  test("are those of the page, server by server", async () => {
    const page = await readFile(new URL("../../../docs/providers/webdav.md", import.meta.url), "utf8");
    const table = page.slice(page.indexOf("| capability |"), page.indexOf("No server takes content types"));
    let compared = 0;
    for (const line of table.split("\n").slice(2)) {
      const cells = line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim());
      const keys = (cells[0] ?? "")
        .replace(" (files and trees)", ", copyTree, moveTree")
        .split(", ")
        .filter((key) => /^[a-zA-Z]+$/.test(key));
      columns.forEach((server, at) => {
        const said = (cells[at + 1] ?? "").replace(/[¹²³⁴]| \(md5\)|, where told/g, "");
        for (const key of keys) {
          expect(webdav({ url, server }).capabilities[key as keyof Capabilities], `${server} ${key}`).toBe(plain[said]);
          compared++;
        }
      });
    }
    expect(compared).toBeGreaterThan(130);
    for (const server of columns) {
      const { capabilities } = webdav({ url, server });
      expect(page).toContain(`${webdavProfiles[server].maxNameBytes}`);
      expect(capabilities).toMatchObject({
        writeContentType: false,
        writeMetadata: false,
        writeModified: false,
        hashes: [],
        listComplete: true,
        modifiedPrecisionMs: 1000,
        strictHierarchy: true,
        directories: "real",
      });
    }
  });

  test("nothing that can be used for a lock is claimed without an exclusive request behind it", () => {
    for (const server of columns) {
      const { capabilities } = webdav({ url, server });
      const { exclusiveMove, noReplace } = webdavProfiles[server];
      expect(capabilities.writeIfAbsent !== false, server).toBe(exclusiveMove);
      expect(capabilities.moveIfAbsent !== false, server).toBe(noReplace);
      expect([capabilities.writeIfMatch, capabilities.deleteIfMatch]).toEqual([false, false]);
    }
  });
});

/**
 * rclone serve webdav: the lossy WebDAV server (an aborted PUT leaves its partial body behind).
 *
 *     await using rclone = await startRclone();
 */
import { randomBytes } from "node:crypto";
import type { WebDavServer } from "./connection.ts";
import { control } from "./control.ts";
import { inHome, listens } from "./home.ts";
import { missingFor } from "./requirements.ts";

export const missing = (): string | undefined => missingFor("rclone");

export async function startRclone(): Promise<WebDavServer> {
  return inHome("rclone", async (home) => {
    const password = randomBytes(12).toString("hex");
    const directory = home.mkdir("root");
    const config = home.write("none.conf", "");
    const server = await home.start(
      "rclone",
      ["serve", "webdav", directory, "--addr", `127.0.0.1:${home.port}`, "--etag-hash", "MD5", "--config", config, "--cache-dir", home.path("tmp")],
      { RCLONE_USER: "user", RCLONE_PASS: password }, // Not in the process list.
    );
    await home.ready("it listens", async () => listens(home.port), server);
    return control({ kind: "webdav", name: "rclone", url: `http://127.0.0.1:${home.port}/`, username: "user", password, directory, home: home.directory }, home, [server]);
  });
}

/**
 * rclone serve webdav: the lossy WebDAV server (an aborted PUT leaves its partial body behind).
 *
 *     await using rclone = await startRclone();
 */
import { randomBytes } from "node:crypto";
import type { WebDavServer } from "./connection.ts";
import { inHome } from "./home.ts";
import { missingFor } from "./requirements.ts";
import { webdavServer } from "./webdav.ts";
import type { WebDavOptions } from "./webdav.ts";

export const missing = (): string | undefined => missingFor("rclone");

export async function startRclone({ diskBytes }: WebDavOptions = {}): Promise<WebDavServer> {
  return inHome("rclone", async (home) => {
    const password = randomBytes(12).toString("hex");
    const directory = await home.disk("root", diskBytes);
    const config = home.write("none.conf", "");
    const server = await home.start(
      "rclone",
      ["serve", "webdav", directory, "--addr", `127.0.0.1:${home.port}`, "--etag-hash", "MD5", "--config", config, "--cache-dir", home.path("tmp")],
      { RCLONE_USER: "user", RCLONE_PASS: password }, // Not in the process list.
    );
    return webdavServer(home, server, { name: "rclone", password, directory });
  });
}

/** CF84: the suite over the WebDAV provider on rclone. */
import { webdavOn } from "./on.ts";

await webdavOn("rclone", "second opinion");

/** CF84: the suite over the WebDAV provider on Apache. */
import { webdavOn } from "./on.ts";

await webdavOn("apache", "main");

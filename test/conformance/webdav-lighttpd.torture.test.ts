/** CF84: the suite over the WebDAV provider on lighttpd. */
import { webdavOn } from "./on.ts";

await webdavOn("lighttpd", "second opinion");

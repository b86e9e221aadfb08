/** CF84: the suite over the WebDAV provider on nginx. */
import { webdavOn } from "./on.ts";

await webdavOn("nginx", "second opinion");

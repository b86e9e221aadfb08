/** CF84: the suite over the WebDAV provider on sabredav. */
import { webdavOn } from "./on.ts";

await webdavOn("sabredav", "second opinion");

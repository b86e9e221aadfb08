/** CF84: the suite over the WebDAV provider on Apache, with digest authentication. */
import { webdavOn } from "./on.ts";

await webdavOn("apache", "second opinion", { digest: true });

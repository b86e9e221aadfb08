/** CF75, CF112: everything together over WebDAV. */
import { webdavStacksOn } from "./stacks-on.ts";

await webdavStacksOn("apache", [["archive", "caching", "metadataCache", "stats"]]);

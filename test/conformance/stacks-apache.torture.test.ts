/** CF75, CF112: metadataCache(webdav) and caching(webdav). */
import { webdavStacksOn } from "./stacks-on.ts";

await webdavStacksOn("apache", [["metadataCache"], ["caching"]]);

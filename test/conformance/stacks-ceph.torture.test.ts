/** CF75, CF112: caching(s3) and metadataCache(s3). */
import { s3StacksOn } from "./stacks-on.ts";

await s3StacksOn("ceph", [["caching"], ["metadataCache"]]);

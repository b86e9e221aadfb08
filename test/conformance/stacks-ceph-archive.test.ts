/** CF75, CF112: archive(s3), and everything together over it. */
import { s3StacksOn } from "./stacks-on.ts";

await s3StacksOn("ceph", [["archive"], ["archive", "caching", "metadataCache", "stats"]]);

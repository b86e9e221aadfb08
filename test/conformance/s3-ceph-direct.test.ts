/** CF80: the suite over the S3 provider on a Ceph gateway, by its own fast path. */
import { s3On } from "./on.ts";

await s3On("ceph", "direct", "main");

/** CF80: the suite over the S3 provider on a Ceph gateway, by the SDK alone. */
import { s3On } from "./on.ts";

await s3On("ceph", "sdk", "second opinion");

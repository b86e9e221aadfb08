/** CF80: the suite over the S3 provider on Swift with s3api, by its own fast path. */
import { s3On } from "./on.ts";

await s3On("swift", "direct", "second opinion");

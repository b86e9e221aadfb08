/** CF80: the suite over the S3 provider on Swift with s3api, by the SDK alone. */
import { s3On } from "./on.ts";

await s3On("swift", "sdk", "second opinion");

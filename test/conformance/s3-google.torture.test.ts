/** CF83: the suite over the S3 provider as Google Storage is spoken to by HMAC keys, on Swift in the mode that demands the same. */
import { s3On } from "./on.ts";

await s3On("swift-google", "direct", "second opinion");

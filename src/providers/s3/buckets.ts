/**
 * The bucket itself, and who it belongs to.
 *
 *   await ensureBucket(context, signal);          // createBucket: true
 */
import { StoreError, type Account, type Space } from "../../store/index.ts";
import { bucketName } from "./bucket-name.ts";
import type { Context } from "./context.ts";
import { isFailure } from "./failure.ts";
import { bucketIsThere } from "./look.ts";

/** Makes the bucket unless it is there. @throws StoreError `config`, with a free name, where it belongs to somebody else */
export async function ensureBucket(context: Context, signal: AbortSignal | undefined): Promise<void> {
  const { settings, sdk } = context;
  try {
    await bucketIsThere(context, signal);
    return;
  } catch (error) {
    // Whose bucket of that name one may not see is told by the attempt to make it.
    if (!isFailure(error, "NoSuchBucket", "AccessDenied") && !(isFailure(error, 403) && error.code === "")) throw error;
  }
  try {
    await sdk.send((s3) => new s3.CreateBucketCommand({ Bucket: settings.bucket }), { signal });
  } catch (error) {
    if (isFailure(error, "BucketAlreadyOwnedByYou")) return;
    if (isFailure(error, "BucketAlreadyExists")) {
      throw new StoreError("config", `the name of the bucket is taken by another account; ${bucketName(settings.bucket, settings.random)} is hardly taken`, {
        cause: error,
        status: 409,
        applied: false,
      });
    }
    throw error;
  }
}

export async function space(context: Context, signal: AbortSignal | undefined): Promise<Space> {
  const { usedBytes, quotaBytes } = await bucketIsThere(context, signal);
  // Nobody counts the bytes of a bucket for the asking; that there is no limit is the vendor's word.
  if (context.vendor.space === "unlimited") return { used: null, free: Infinity, total: Infinity };
  const total = quotaBytes === null || quotaBytes < 0 ? null : quotaBytes;
  return { used: usedBytes, free: total === null || usedBytes === null ? null : Math.max(0, total - usedBytes), total };
}

export async function account(context: Context, signal: AbortSignal | undefined): Promise<Account> {
  const { settings, vendor, sdk } = context;
  await bucketIsThere(context, signal);
  let user: string | null = null;
  try {
    const { Owner } = await sdk.send((s3) => new s3.ListBucketsCommand({}), { signal });
    user = Owner?.DisplayName || Owner?.ID || null;
  } catch (error) {
    // Keys that are limited to one bucket may not ask this.
    if (!isFailure(error, 403) || /Signature|AccessKey|Token/.test(error.code)) throw error;
  }
  return { provider: "s3", user, text: `s3: ${vendor.label}, bucket ${settings.bucket}${user === null ? "" : `, user ${user}`}` };
}

/**
 * Objects of an S3 service as a store: Amazon, Ceph, Swift, Google Storage (HMAC keys), MinIO, R2, B2, and whatever else speaks the protocol.
 *
 *   const store = s3({ bucket: "photos", region: "eu-central-1" });                       // AWS, credentials by the SDK's chain
 *   const other = s3({ bucket: "photos", vendor: "ceph", endpoint: "https://s3.example.org", credentials: { id: "...", secret: "..." } });
 *
 * Needs @aws-sdk/client-s3, @smithy/signature-v4 and undici. docs/providers/s3.md has the capabilities by vendor, what
 * each answer carries and costs, and what differs from other stores.
 */
import { createStore, type Layered, type Store } from "../../store/index.ts";
import { controlOf } from "./control.ts";
import { readOptions, type S3Options } from "./options.ts";
import { S3Provider } from "./provider.ts";
import type { S3Control } from "./public.ts";

export { bucketName } from "./bucket-name.ts";
export { S3 } from "./public.ts";
export type { S3Control, S3Settings, SweepOptions } from "./public.ts";
export type { S3Credentials } from "./credentials.ts";
export { detectS3, type DetectedS3 } from "./detect.ts";
export type { S3Options } from "./options.ts";
export type { Vendor, VendorName } from "./vendors.ts";

/** No I/O before the first call. @throws StoreError `config` for wrong options, at once */
export function s3(options: S3Options): Store & Layered<"s3", S3Control> {
  const settings = readOptions(options);
  const provider = new S3Provider(settings);
  return createStore(provider, { name: options.name, control: controlOf(settings, provider) });
}

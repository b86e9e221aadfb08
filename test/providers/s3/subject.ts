/** The provider over one running server, as the conformance suite wants it: one bucket of its own, and in it a prefix for each place. */
import type { Subject } from "../../../src/conformance/index.ts";
import { bucketName, s3, type S3Options } from "../../../src/providers/s3/index.ts";
import type { S3Connection, S3Name } from "../../servers/connection.ts";
import { rawS3 } from "../../servers/raw-s3.ts";

/** Nobody listens there: refused at once. */
const NOWHERE = "http://127.0.0.1:1";

/** Swift in its Google-like mode has the profile of Google, bar what is Swift's own. */
export const profiles: Readonly<Record<S3Name, Pick<S3Options, "vendor" | "quirks">>> = {
  ceph: { vendor: "ceph" },
  swift: { vendor: "swift" },
  "swift-google": { vendor: "google", quirks: { copyMatchesParts: false, headKeepAlive: false, maxMetadataBytes: 256, maxParts: 1000 } },
};

export async function s3Subject(connection: S3Connection, transport: "direct" | "sdk"): Promise<Subject> {
  const { endpoint, region, accessKeyId, secretAccessKey, name } = connection;
  const bucket = bucketName(`suite-${name}-${transport}`);
  await rawS3(connection, bucket).createBucket();
  const options = { bucket, region, transport, ...profiles[name], credentials: { accessKeyId, secretAccessKey }, partBytes: 5 * 1024 ** 2 } satisfies S3Options;
  return {
    name: `s3 on ${name} (${transport})`,
    open: (place) => s3({ ...options, endpoint: place.route(endpoint), prefix: place.id, clock: place.clock, random: place.random }),
    unavailable: (place) => s3({ ...options, endpoint: NOWHERE, prefix: place.id }),
    raw: (place) => rawS3(connection, bucket, place.id),
    leftovers: async (place) => (await rawS3(connection, bucket).openUploads()).filter((upload) => upload.startsWith(`${place.id}/`)),
    wire: true,
    cost: { stat: 1, read: 1, write: 1, list: 1, delete: 2, mkdir: 3, copy: 2, move: 9 },
  };
}

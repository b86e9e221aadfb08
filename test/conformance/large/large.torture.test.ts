/** A 2 GiB stream of unknown length up and down in constant memory: the peak resident memory of the whole process stays below 200 MiB. */
import { afterAll, test } from "vitest";
import { notProved, useServer } from "../../servers/shared.ts";
import { build } from "./built.ts";

const bytes = 2 * 2 ** 30 + 12_345;
const built = await build();
afterAll(() => built[Symbol.asyncDispose]());

test.skipIf(notProved("ceph") !== undefined)("2 GiB of unknown length through S3 and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  const { endpoint, region, accessKeyId, secretAccessKey } = await useServer("ceph");
  const credentials = { accessKeyId, secretAccessKey };
  await built.through({ bytes, s3: { endpoint, region, vendor: "ceph", bucket: "large-streams", createBucket: true, credentials } });
});

test.skipIf(notProved("apache") !== undefined)("2 GiB of unknown length through WebDAV and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  const { url, username, password } = await useServer("apache");
  await built.through({ bytes, webdav: { url: `${url}large-streams`, username, password, server: "apache", createRoot: true } });
});

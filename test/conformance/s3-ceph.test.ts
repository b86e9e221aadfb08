/** CF80: the suite over the S3 provider on a Ceph gateway, by both transports. */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import { s3Subject } from "../providers/s3/subject.ts";
import { notProved, useServer } from "../servers/shared.ts";
import { secondOpinion } from "./tier.ts";

const why = notProved("ceph");
if (why !== undefined) test.skip(`s3 on ceph: NOT PROVED, ${why}`, () => {});
else {
  const connection = await useServer("ceph");
  conformance({ describe, test }, await s3Subject(connection, "direct"));
  conformance({ describe, test }, secondOpinion(await s3Subject(connection, "sdk")));
}

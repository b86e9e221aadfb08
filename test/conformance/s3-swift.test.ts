/** CF80: the suite over the S3 provider on Swift with s3api, by both transports. */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import { s3Subject } from "../providers/s3/subject.ts";
import { notProved, useServer } from "../servers/shared.ts";
import { secondOpinion } from "./tier.ts";

const why = notProved("swift");
if (why !== undefined) test.skip(`s3 on swift: NOT PROVED, ${why}`, () => {});
else {
  const connection = await useServer("swift");
  for (const transport of ["direct", "sdk"] as const) conformance({ describe, test }, secondOpinion(await s3Subject(connection, transport)));
}

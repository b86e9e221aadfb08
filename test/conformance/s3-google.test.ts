/** CF83: the suite over the S3 provider as Google Storage is spoken to by HMAC keys, on Swift in the mode that demands the same. */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import { s3Subject } from "../providers/s3/subject.ts";
import { notProved, useServer } from "../servers/shared.ts";
import { secondOpinion } from "./tier.ts";

const why = notProved("swift-google");
if (why !== undefined) test.skip(`s3 on swift-google: NOT PROVED, ${why}`, () => {});
else conformance({ describe, test }, secondOpinion(await s3Subject(await useServer("swift-google"), "direct")));

/**
 * The suite over a provider on one real server. Each file beside this one is one server and one way to speak to it, so that they run side by side:
 * nearly all of their time is waiting for the server.
 */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import type { Subject } from "../../src/conformance/index.ts";
import { s3Subject } from "../providers/s3/subject.ts";
import { webdavSubject } from "../providers/webdav/subject.ts";
import type { S3Name, WebDavName } from "../servers/connection.ts";
import { notProved, useServer } from "../servers/shared.ts";
import { secondOpinion } from "./tier.ts";

/** `main`: the server on which the provider is proved in full. */
type Depth = "main" | "second opinion";
const deep = { main: (subject: Subject): Subject => subject, "second opinion": secondOpinion };

export async function s3On(name: S3Name, transport: "direct" | "sdk", depth: Depth): Promise<void> {
  const why = notProved(name);
  if (why !== undefined) return test.skip(`s3 on ${name}: NOT PROVED, ${why}`, () => {});
  conformance({ describe, test }, deep[depth](await s3Subject(await useServer(name), transport)));
}

export async function webdavOn(name: WebDavName, depth: Depth, options: { readonly digest?: boolean } = {}): Promise<void> {
  const why = notProved(name);
  if (why !== undefined) return test.skip(`webdav on ${name}: NOT PROVED, ${why}`, () => {});
  conformance({ describe, test }, deep[depth](webdavSubject(await useServer(name), options)));
}

/** CF84: the suite over the WebDAV provider, on each of the five servers, Apache also with digest authentication. */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import { webdavNames } from "../servers/connection.ts";
import { notProved, useServer } from "../servers/shared.ts";
import { webdavSubject } from "../providers/webdav/subject.ts";
import { secondOpinion } from "./tier.ts";

for (const name of webdavNames) {
  const why = notProved(name);
  if (why !== undefined) {
    test.skip(`webdav on ${name}: NOT PROVED, ${why}`, () => {});
    continue;
  }
  const connection = await useServer(name);
  conformance({ describe, test }, name === "apache" ? webdavSubject(connection) : secondOpinion(webdavSubject(connection)));
  if (connection.digestUrl !== undefined) conformance({ describe, test }, secondOpinion(webdavSubject(connection, { digest: true })));
}

/** The stacks of production over a real server, forced to synchronise with every call (CF75, CF112): smoke in `npm test`, in full with STRATUS_TIER. */
import { test } from "vitest";
import { s3Subject } from "../providers/s3/subject.ts";
import { webdavSubject } from "../providers/webdav/subject.ts";
import { notProved, useServer } from "../servers/shared.ts";
import type { WrapperName } from "../wrappers/matrix/layers.ts";
import { overStacks } from "../wrappers/matrix/run.ts";

/** Innermost first. */
type Lists = readonly (readonly WrapperName[])[];

export async function s3StacksOn(name: "ceph", lists: Lists): Promise<void> {
  const why = notProved(name);
  if (why !== undefined) return test.skip(`stacks over s3 on ${name}: NOT PROVED, ${why}`, () => {});
  overStacks(await s3Subject(await useServer(name), "direct"), lists);
}

export async function webdavStacksOn(name: "apache", lists: Lists): Promise<void> {
  const why = notProved(name);
  if (why !== undefined) return test.skip(`stacks over webdav on ${name}: NOT PROVED, ${why}`, () => {});
  overStacks(webdavSubject(await useServer(name)), lists);
}

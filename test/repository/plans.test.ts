/** What is done with one file of a repository costs the same whatever its catalogue holds. */
import { expect, test } from "vitest";
import { noting, wideSteps } from "../catalogue/plans.ts";
import type { Asked } from "../catalogue/plans.ts";
import { added, lab, published } from "./lab.ts";

const SMALL = [
  "repo_host",
  "repo_fact",
  "repo_backup",
  "b",
  "h",
  "repo_file_unsent",
  "repo_file_purged",
  "repo_file_pending",
  "repo_file_marked",
  "repo_object_sending",
  "repo_object_due",
  "repo_copy_leaving",
];

test("no question about one file looks at all files, with a limit that makes others go", async () => {
  await using l = await lab();
  const inner = l.catalogueOf();
  await (await l.create()).close();
  const asked: Asked[] = [];
  const again = l.catalogueOf();
  const repo = await l.open({ catalogue: noting(again, asked), cacheLimitBytes: 20 });
  // The sum of what is there is asked once.
  const first = await published(repo, "/a/first", "0123456789");
  await repo.unlink(first);
  await repo.text(first);
  asked.length = 0;
  const ids = [first];
  for (let n = 0; n < 5; n++) {
    const id = await published(repo, `/a/f${n}`, "0123456789");
    await repo.unlink(id);
    await repo.text(id);
    ids.push(id);
  }
  expect((await repo.info(first)).local).toBe(false);
  const [a = 0, b = 0] = ids;
  await repo.get("/a/first");
  await repo.versions("/a/first");
  await repo.find({ path: "/a/f1" });
  await repo.find({ under: "/a" });
  await repo.tagFile(a, "x");
  await repo.tagPath("/a/first", "y");
  await repo.findTagged({ all: ["x"] });
  await repo.findTagged({ any: ["x", "y"], published: false });
  await repo.untagFile(a, "x");
  await repo.transaction(async (t) => {
    const id = await t.addFile("/a/t");
    await t.write(id, "t");
    await t.publish(id);
  });
  await repo.expire(a);
  await repo.purge(a);
  await repo.expire(b);
  await added(repo, "/a/draft", "draft");
  await repo.maintainHost();
  // A collection looks at what is not published: that is its work.
  expect(asked.length).toBeGreaterThan(200);
  expect(await wideSteps(again, asked, SMALL)).toEqual([]);
  await inner.close();
});

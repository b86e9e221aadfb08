/**
 * What a provider should have cleaned away: uploads that were begun and not ended, temporary files beside the user's.
 *
 *     expect(await s3Leftovers(ceph, "bucket")).toEqual([]);
 *     expect(await webdavLeftovers(apache, "place-1")).toEqual([]);
 */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { S3Connection, WebDavConnection } from "./connection.ts";
import { rawS3 } from "./raw-s3.ts";

/** `key (upload id)` of each open multipart upload below a prefix. */
export async function s3Leftovers(to: S3Connection, bucket: string, prefix = ""): Promise<readonly string[]> {
  return (await rawS3(to, bucket).openUploads()).filter((upload) => upload.startsWith(prefix));
}

/** Names that a provider of ours gives to files on their way: `.stratus-SOMETHING.tmp`. */
export const temporaryName: RegExp = /^\.stratus-.*\.tmp$/s;

/** Paths of temporary files on the server's disk, below a directory of its tree; also under `digestUrl`. */
export async function webdavLeftovers(to: WebDavConnection, below = ""): Promise<readonly string[]> {
  const found: string[] = [];
  for (const root of [to.directory, to.digestDirectory]) {
    if (root === undefined) continue;
    for (const entry of await readdir(join(root, below), { recursive: true, withFileTypes: true }).catch(absentIsEmpty)) {
      if (temporaryName.test(entry.name)) found.push(relative(root, join(entry.parentPath, entry.name)));
    }
  }
  return found;
}

function absentIsEmpty(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT") return [];
  throw error;
}

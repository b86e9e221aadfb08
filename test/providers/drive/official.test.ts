/** The emulator as its official client @googleapis/drive finds it, verb by verb: what it answers is what that package, and google-auth-library, understand. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { auth as authOf, drive as driveSdk } from "@googleapis/drive";
import type { drive_v3 } from "@googleapis/drive";
import { expect, test } from "vitest";
import { startDrive } from "../../servers/drive/index.ts";
import type { DriveServer } from "../../servers/drive/index.ts";

const FOLDER = "application/vnd.google-apps.folder";

/** Google's own hosts are the emulator's. */
function leading({ url, tokenUrl }: DriveServer): typeof fetch {
  return (async (given: string | URL, init: RequestInit) => {
    const { host, href, pathname, search } = new URL(String(given));
    if (host === "oauth2.googleapis.com") return fetch(tokenUrl + search, init);
    return fetch(host === "www.googleapis.com" ? new URL(pathname.slice(1) + search, url) : href, init);
  }) as typeof fetch;
}

interface Official extends AsyncDisposable {
  readonly server: DriveServer;
  readonly files: drive_v3.Resource$Files;
  readonly sdk: drive_v3.Drive;
}

async function official(): Promise<Official> {
  const server = await startDrive({});
  const { clientId, clientSecret, refreshToken } = server.oauth;
  const transporterOptions = { fetchImplementation: leading(server) };
  const auth = new authOf.OAuth2({ clientId, clientSecret, transporterOptions });
  auth.setCredentials({ refresh_token: refreshToken });
  const sdk = driveSdk({ version: "v3", auth, fetchImplementation: leading(server) });
  return { server, sdk, files: sdk.files, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const md5 = (bytes: string): string => createHash("md5").update(bytes).digest("hex");
async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test("files: create, get, media and ranges, update, copy, move, trash, delete", async () => {
  await using o = await official();
  const { files } = o;
  const folder = (await files.create({ requestBody: { name: "folder", mimeType: FOLDER } })).data;
  const made = await files.create({
    requestBody: { name: "a.txt", parents: [folder.id as string], appProperties: { kept: "yes" } },
    media: { mimeType: "text/plain", body: Readable.from(["hello world"]) },
    fields: "id,name,size,mimeType,md5Checksum,sha256Checksum,parents,appProperties",
  });
  expect(made.data).toMatchObject({ name: "a.txt", size: "11", mimeType: "text/plain", md5Checksum: md5("hello world"), appProperties: { kept: "yes" } });
  const fileId = made.data.id as string;
  const range = await files.get({ fileId, alt: "media" }, { responseType: "stream", headers: { Range: "bytes=6-" } });
  expect([range.status, await textOf(range.data)]).toEqual([206, "world"]);
  await files.update({ fileId, media: { body: Readable.from(["new bytes"]) } });
  expect(await textOf((await files.get({ fileId, alt: "media" }, { responseType: "stream" })).data)).toBe("new bytes");
  const copied = (await files.copy({ fileId, requestBody: { name: "copy" }, fields: "id,parents,md5Checksum" })).data;
  expect(copied).toMatchObject({ parents: [folder.id], md5Checksum: md5("new bytes") });
  const moved = await files.update({ fileId, addParents: "root", removeParents: folder.id as string, requestBody: { name: "moved" }, fields: "name,parents" });
  expect(moved.data.name).toBe("moved");
  expect(moved.data.parents).not.toContain(folder.id);
  await files.update({ fileId, requestBody: { trashed: true } });
  expect((await files.get({ fileId, fields: "trashed,explicitlyTrashed" })).data).toEqual({ trashed: true, explicitlyTrashed: true });
  await files.delete({ fileId });
  await expect(files.get({ fileId })).rejects.toMatchObject({ status: 404 });
});

test("lists: the q language, pages, order, ids made before", async () => {
  await using o = await official();
  const { files } = o;
  const { ids } = (await files.generateIds({ count: 3 })).data;
  for (const [n, id] of (ids as string[]).entries()) await files.create({ requestBody: { id, name: `it's ${n}` } });
  const names: string[] = [];
  for (let pageToken: string | undefined; ;) {
    const q = "name contains 'it' and 'root' in parents and trashed = false";
    const { data } = await files.list({ q, pageSize: 2, orderBy: "name", fields: "nextPageToken,files(name)", ...(pageToken && { pageToken }) });
    names.push(...(data.files ?? []).map(({ name }) => name as string));
    pageToken = data.nextPageToken ?? undefined;
    if (pageToken === undefined) break;
  }
  expect(names).toEqual(["it's 0", "it's 1", "it's 2"]);
  expect((await files.list({ q: "name = 'it\\'s 1'" })).data.files).toHaveLength(1);
  await expect(files.list({ q: "name is nonsense" })).rejects.toMatchObject({ status: 400 });
  await expect(files.create({ requestBody: { id: ids?.[0] as string, name: "again" } })).rejects.toMatchObject({ status: 409 });
});

test("about, changes, revisions, shortcuts", async () => {
  await using o = await official();
  const { files, sdk } = o;
  expect((await sdk.about.get({ fields: "user,storageQuota" })).data.user?.emailAddress).toContain("@");
  await expect(sdk.about.get({})).rejects.toMatchObject({ status: 400 });
  const { startPageToken } = (await sdk.changes.getStartPageToken({})).data;
  const target = (await files.create({ requestBody: { name: "target" }, media: { body: Readable.from(["one"]) } })).data.id as string;
  const shortcut = await files.create({
    requestBody: { name: "way", mimeType: "application/vnd.google-apps.shortcut", shortcutDetails: { targetId: target } },
    fields: "shortcutDetails(targetId)",
  });
  expect(shortcut.data.shortcutDetails?.targetId).toBe(target);
  const { changes, newStartPageToken } = (await sdk.changes.list({ pageToken: startPageToken as string })).data;
  expect(changes?.map(({ fileId }) => fileId)).toContain(target);
  expect(newStartPageToken).not.toBe(startPageToken);
  await files.update({ fileId: target, media: { body: Readable.from(["two"]) } });
  const { revisions } = (await sdk.revisions.list({ fileId: target })).data;
  expect(revisions).toHaveLength(2);
  const first = await sdk.revisions.get({ fileId: target, revisionId: revisions?.[0]?.id as string, alt: "media" }, { responseType: "stream" });
  expect(await textOf(first.data)).toBe("one");
});

test("a revoked refresh token is invalid_grant, as google-auth-library tells it", async () => {
  await using o = await official();
  await o.files.list({});
  const auth = new authOf.OAuth2({ clientId: o.server.oauth.clientId, clientSecret: "wrong", transporterOptions: { fetchImplementation: leading(o.server) } });
  auth.setCredentials({ refresh_token: o.server.oauth.refreshToken });
  await expect(auth.getAccessToken()).rejects.toThrow(/invalid_client/);
  auth.setCredentials({ refresh_token: "nobody's" });
  await expect(auth.getAccessToken()).rejects.toThrow(/invalid/);
});

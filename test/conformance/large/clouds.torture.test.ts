/** A 1 GiB stream of unknown length up and down through the consumer clouds below 200 MiB: their emulators are in this process, the store is in another. */
import { afterAll, expect, test } from "vitest";
import { authOf } from "../../providers/drive/subject.ts";
import { startDrive } from "../../servers/drive/index.ts";
import { startDropbox } from "../../servers/dropbox/index.ts";
import { startSugarSync } from "../../servers/sugarsync/index.ts";
import { build } from "./built.ts";

const bytes = 2 ** 30 + 12_345;
const built = await build();
afterAll(() => built[Symbol.asyncDispose]());

test("CF76: 1 GiB of unknown length through Dropbox and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  await using server = await startDropbox();
  const instead = Object.fromEntries(["api", "content", "notify"].map((host) => [`https://${host}.dropboxapi.com`, `${server.origin}/${host}`]));
  await built.through({ bytes, dropbox: { accessToken: server.account("ann").accessToken }, instead });
  // ⌈n / 8 MiB⌉ requests: the first piece begins the session, the last one goes with the commit.
  expect(server.routes.filter((route) => route.startsWith("files/upload_session"))).toHaveLength(129);
});

test("CF76: 1 GiB of known length goes to Dropbox in pieces at once, below 200 MiB too", { timeout: 600_000 }, async () => {
  await using server = await startDropbox();
  const instead = Object.fromEntries(["api", "content", "notify"].map((host) => [`https://${host}.dropboxapi.com`, `${server.origin}/${host}`]));
  await built.through({ bytes, told: true, dropbox: { accessToken: server.account("ann").accessToken }, instead });
  // Two more: the session begins and ends without a piece.
  expect(server.routes.filter((route) => route.startsWith("files/upload_session"))).toHaveLength(131);
});

test("CF88: 1 GiB of unknown length through Drive and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  await using server = await startDrive();
  await built.through({ bytes, drive: { auth: authOf(server), rootUrl: server.url, tokenUrl: server.tokenUrl } });
});

test("CF87: 1 GiB of unknown length through SugarSync and back stay below 200 MiB", { timeout: 600_000 }, async () => {
  await using server = await startSugarSync();
  const { accessKeyId, privateAccessKey } = server.application;
  await built.through({ bytes, sugarsync: { url: server.url, accessKeyId, privateAccessKey, refreshToken: server.account("ann@example.org").refreshToken } });
});

/** What the emulator has and the provider never asks for: workspaces, and the versions of a file. Asked by hand, as the API's pages describe it. */
import { expect, test } from "vitest";
import { at } from "./at.ts";

test("workspaces, and every version of a file with its bytes", async () => {
  await using here = await at();
  const { url, application } = here.server;
  const { accessKeyId, privateAccessKey } = application;
  const fields = `<accessKeyId>${accessKeyId}</accessKeyId><privateAccessKey>${privateAccessKey}</privateAccessKey><refreshToken>${here.account.refreshToken}</refreshToken>`;
  const signedIn = await fetch(`${url}/authorization`, {
    method: "POST",
    headers: { "content-type": "application/xml; charset=UTF-8" },
    body: `<?xml version="1.0" encoding="UTF-8"?><tokenAuthRequest>${fields}</tokenAuthRequest>`,
  });
  expect(signedIn.status).toBe(201);
  const authorization = signedIn.headers.get("location") ?? "";
  const get = async (link: string): Promise<string> => {
    const answer = await fetch(link, { headers: { authorization } });
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.text();
  };
  const linksIn = (xml: string, element: string): string[] =>
    [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, link]) => link ?? "");

  const [workspaces = ""] = linksIn(await get(`${url}/user`), "workspaces");
  expect(await get(workspaces)).toContain('<collection type="workspace">');

  // The provider replaces a file by another one; other programs write into it.
  await here.store.write("/docs/file", "first");
  const node = [...here.account.tree.nodes.values()].find(({ name }) => name === "file");
  const file = `${url}/file/:sc:${here.account.userId}:${node?.id}`;
  const put = await fetch(`${file}/data`, { method: "PUT", headers: { authorization, "content-type": "text/plain" }, body: "second" });
  expect(put.status).toBe(204);
  const [versions = ""] = linksIn(await get(file), "versions");
  expect(await Promise.all(linksIn(await get(versions), "fileData").map(get))).toEqual(["first", "second"]);
  await expect(get(`${versions}/999/data`)).rejects.toThrow(/^405/);
});

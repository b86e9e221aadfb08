/**
 * The emulator against google-drive-mock, which others wrote and try on the real Drive: one list of requests to both, one answer. What the mock has none of
 * (ranges, resumable uploads, copies, ids from the service, `fields`, bodies above 100 KiB, errors with reasons) or gets wrong by the API's description
 * (`not`, `mimeType !=`, a quote in a name, the children of a deleted folder, the alias `root`) is not asked.
 */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { createApp } from "google-drive-mock";
import { expect, test } from "vitest";
import { startDrive } from "../../servers/drive/index.ts";

const FOLDER = "application/vnd.google-apps.folder";
interface File {
  readonly id: string;
  readonly [field: string]: unknown;
}
interface Answer {
  readonly status: number;
  readonly json: any;
  readonly text: string;
}
type Ask = (method: string, target: string, body?: string, type?: string) => Promise<Answer>;

function asker(base: string, token: string): Ask {
  return async (method, target, body, type = "application/json; charset=UTF-8") => {
    const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": type }) };
    const answer = await fetch(base + target, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    return { status: answer.status, text, json: /json/.test(answer.headers.get("content-type") ?? "") && text !== "" ? JSON.parse(text) : undefined };
  };
}

const FIELDS = "id,name,mimeType,parents,size,md5Checksum,trashed";
const related = (metadata: object, body: string): string =>
  `--b\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n--b\r\nContent-Type: text/plain\r\n\r\n${body}\r\n--b--`;

/** Everything that was seen, with the names of files for their ids. */
async function observe(ask: Ask): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  const names = new Map<string, string>();
  const known = (id: unknown): string => names.get(String(id)) ?? "?";
  const see = (what: string, { status, json }: Answer, keep: readonly string[] = []): void => {
    const fields = keep.map((key) => [key, key === "parents" ? (json.parents as string[]).map(known) : json[key]]);
    seen.push([what, status, Object.fromEntries(fields)]);
  };
  const make = async (as: string, metadata: object, body?: string): Promise<File> => {
    const answer =
      body === undefined
        ? await ask("POST", `drive/v3/files?fields=${FIELDS}`, JSON.stringify(metadata))
        : await ask("POST", `upload/drive/v3/files?uploadType=multipart&fields=${FIELDS}`, related(metadata, body), "multipart/related; boundary=b");
    names.set(answer.json.id, as);
    see(`make ${as}`, answer, body === undefined ? ["name", "mimeType", "trashed"] : ["name", "parents", "size", "md5Checksum", "trashed"]);
    return answer.json as File;
  };
  const search = async (q: string, more = ""): Promise<string | undefined> => {
    const answer = await ask("GET", `drive/v3/files?q=${encodeURIComponent(q)}&fields=files(${FIELDS}),nextPageToken${more}`);
    const files = (answer.json?.files ?? []) as File[];
    // Two of one name come in either order.
    const found = more.includes("orderBy") ? files.map(({ name }) => name) : files.map(({ id }) => known(id)).toSorted();
    seen.push([q + more.replace(/pageToken=.*/, "pageToken"), answer.status, found]);
    return answer.json?.nextPageToken as string | undefined;
  };

  const top = await make("top", { name: "Ordner ü 中", mimeType: FOLDER });
  const inner = await make("inner", { name: "inner", mimeType: FOLDER, parents: [top.id] });
  const a = await make("a", { name: "a.txt", parents: [top.id] }, "hello");
  const b = await make("b", { name: "b.txt", parents: [top.id] }, "world");
  await make("twin", { name: "a.txt", parents: [top.id] }, "a second file of one name");
  await make("empty", { name: "empty", parents: [inner.id] }, "");

  const read = await ask("GET", `drive/v3/files/${a.id}?alt=media`);
  seen.push(["read", read.status, read.text]);
  see("stat", await ask("GET", `drive/v3/files/${a.id}?fields=${FIELDS}`), ["name", "parents", "size", "md5Checksum", "trashed"]);
  const children = `'${top.id}' in parents`;
  const plain = (q: string): string => q.replaceAll(top.id, "top").replaceAll(inner.id, "inner");
  const say = async (q: string, more?: string): Promise<string | undefined> => {
    const token = await search(q, more);
    const last = seen.at(-1) as [string, ...unknown[]];
    last[0] = plain(last[0]);
    return token;
  };
  await say(children);
  await say(`${children} and name = 'a.txt'`);
  await say(`${children} and name contains 'a'`);
  await say(`${children} and mimeType = '${FOLDER}'`);
  await say(`${children} and (name = 'a.txt' or name = 'inner')`);
  await say(`'${inner.id}' in parents and trashed = false`);
  await say(`${children} and name = 'b.txt'`, "&orderBy=name");
  const token = await say(children, "&orderBy=name&pageSize=3");
  seen.push(["a next page", token !== undefined]);
  seen.push(["no third page", await say(children, `&orderBy=name&pageSize=3&pageToken=${encodeURIComponent(token ?? "")}`)]);

  const start = await ask("GET", "drive/v3/changes/startPageToken");
  see("where changes begin", start);
  see("rename", await ask("PATCH", `drive/v3/files/${b.id}?fields=${FIELDS}`, JSON.stringify({ name: "c ü.txt" })), ["name", "parents", "size"]);
  see("move", await ask("PATCH", `drive/v3/files/${b.id}?addParents=${inner.id}&removeParents=${top.id}&fields=${FIELDS}`, "{}"), ["name", "parents"]);
  await say(children);
  await say(`'${inner.id}' in parents`);
  see("other bytes", await ask("PATCH", `upload/drive/v3/files/${b.id}?uploadType=media&fields=${FIELDS}`, "other bytes", "text/plain"), [
    "name",
    "size",
    "md5Checksum",
  ]);
  see("trash", await ask("PATCH", `drive/v3/files/${a.id}?fields=${FIELDS}`, JSON.stringify({ trashed: true })), ["name", "trashed"]);
  await say(`${children} and trashed = true`);
  await say(`${children} and trashed = false`);
  see("back from the trash", await ask("PATCH", `drive/v3/files/${a.id}?fields=${FIELDS}`, JSON.stringify({ trashed: false })), ["name", "trashed"]);
  seen.push(["delete", (await ask("DELETE", `drive/v3/files/${a.id}`)).status]);
  seen.push(["stat of what is gone", (await ask("GET", `drive/v3/files/${a.id}?fields=id`)).status]);
  seen.push(["delete of what is gone", (await ask("DELETE", `drive/v3/files/${a.id}`)).status]);
  await say(children);
  const changes = await ask("GET", `drive/v3/changes?pageToken=${start.json.startPageToken}&fields=changes(fileId,removed),newStartPageToken`);
  const last = new Map((changes.json.changes as { fileId: string; removed: boolean }[]).map(({ fileId, removed }) => [known(fileId), removed]));
  seen.push(["changes", changes.status, [...last].toSorted()]);
  seen.push(["where the next begin", typeof changes.json.newStartPageToken]);
  return seen;
}

test("emulator and google-drive-mock give the same answers", async () => {
  const mock = http.createServer(createApp());
  mock.listen(0, "127.0.0.1");
  await once(mock, "listening");
  try {
    await using drive = await startDrive();
    const ours = await observe(asker(drive.url, drive.oauth.issue()));
    const theirs = await observe(asker(`http://127.0.0.1:${(mock.address() as AddressInfo).port}/`, "valid-token"));
    expect(ours.length).toBeGreaterThan(30);
    expect(ours).toEqual(theirs);
    for (const [base, token] of [
      [drive.url, "not a token"],
      [`http://127.0.0.1:${(mock.address() as AddressInfo).port}/`, "not a token"],
    ] as const)
      expect((await asker(base, token)("GET", "drive/v3/files")).status).toBe(401);
  } finally {
    mock.closeAllConnections();
    mock.close();
  }
});

/** A whole file in one request: its properties and its bytes as two parts (api/guides/manage-uploads#multipart). */
import type { Api, FileBody, Placement, Signal } from "./api.ts";
import { fileOf, jsonOf } from "./api.ts";
import { FIELDS } from "./resource.ts";
import type { DriveFile } from "./resource.ts";

/** Makes a file, or gives the file of this id new bytes. The package cannot: of bytes it throws, and it sends to Google's own host whatever it was told. */
export async function multipart(
  { api, random }: { readonly api: Api; readonly random: () => number },
  fileId: string | undefined,
  body: FileBody,
  bytes: Uint8Array,
  signal: Signal,
): Promise<DriveFile> {
  const boundary = `stratus-${Array.from({ length: 32 }, () => Math.floor(random() * 36).toString(36)).join("")}`;
  const head = `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(body)}\r\n--${boundary}\r\nContent-Type: ${body.mimeType ?? "application/octet-stream"}\r\n\r\n`;
  const { text } = await api.text({
    method: fileId === undefined ? "POST" : "PATCH",
    url: uploadUrl(api, fileId, { uploadType: "multipart" }),
    headers: { "content-type": `multipart/related; boundary=${boundary}` },
    body: Buffer.concat([Buffer.from(head, "utf8"), bytes, Buffer.from(`\r\n--${boundary}--`)]),
    signal,
    changes: true,
  });
  return fileOf(jsonOf(text));
}

export function uploadUrl({ rootUrl }: Api, fileId: string | undefined, more: Readonly<Record<string, string>> & Placement): string {
  const query = new URLSearchParams({ ...more, fields: FIELDS, supportsAllDrives: "true" });
  return `${rootUrl}upload/drive/v3/files${fileId === undefined ? "" : `/${encodeURIComponent(fileId)}`}?${query.toString()}`;
}

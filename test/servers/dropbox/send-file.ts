/** download: the metadata in a header, the bytes as the body, one range where one is asked for (API reference, "Content-download endpoints"; RFC 9110, 14). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Json } from "./metadata.ts";
import { bytesOf } from "../spill.ts";
import type { Chunk } from "../spill.ts";
import type { FileNode } from "./tree.ts";

export async function sendFile(request: IncomingMessage, response: ServerResponse, file: FileNode, describe: (file: FileNode) => Json): Promise<void> {
  const told = JSON.stringify(describe(file)).replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const headers: Record<string, string> = {
    "dropbox-api-result": told,
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    etag: `W/"${file.rev}"`,
  };
  const asked = rangeOf(request.headers.range, file.size);
  if (asked === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${file.size}`, "content-length": "0" }).end();
    return;
  }
  const [first, end] = asked ?? [0, file.size];
  if (asked !== undefined) headers["content-range"] = `bytes ${first}-${end - 1}/${file.size}`;
  response.writeHead(asked === undefined ? 200 : 206, { ...headers, "content-length": String(end - first) });
  try {
    await pipeline(cut(file.chunks, first, end), response);
  } catch (error) {
    // The reader left early.
    if (!["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"].includes(String((error as { code?: unknown }).code))) throw error;
  }
}

function* cut(chunks: readonly Chunk[], first: number, end: number): Generator<Uint8Array> {
  let at = 0;
  for (const chunk of chunks) {
    const [from, to] = [Math.max(0, first - at), Math.min(chunk.byteLength, Math.max(0, end - at))];
    at += chunk.byteLength;
    if (from < to) yield bytesOf(chunk).subarray(from, to);
  }
}

/** One range; several, or nonsense, are ignored. Suffixes are not documented, and ignored as well. */
function rangeOf(header: string | undefined, size: number): readonly [number, number] | "unsatisfiable" | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === undefined) return undefined;
  const start = Number(first);
  if (start >= size) return "unsatisfiable";
  return [start, last === "" || last === undefined ? size : Math.min(size, Number(last) + 1)];
}

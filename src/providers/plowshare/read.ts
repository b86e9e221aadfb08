/** A read: downloaded whole, proven, then given. */
import { open } from "node:fs/promises";
import { StoreError, byteStream } from "../../store/index.ts";
import type { ProviderRead, RawBody, ReadCall } from "../../store/index.ts";
import { fetchContent } from "./download.ts";
import type { Fetched } from "./download.ts";
import type { Served } from "./options.ts";
import type { Session } from "./session.ts";
import { entryOf } from "./tree.ts";

/** Up to this size a download is read into memory at once, so that no file is left open while somebody reads. */
export const IN_MEMORY: number = 1 << 20;
const PIECE = 256 << 10;
/** An overwritten file takes its links along: so often a read looks for the new ones. */
const READS = 4;

/** Of one version: where the file was overwritten or deleted meanwhile, of the one that is there now. */
export async function read(session: Session, call: ReadCall, signal: AbortSignal): Promise<ProviderRead> {
  const { tree, contents } = session.library;
  for (let tries = 1; ; tries++) {
    const node = tree.get(call.path);
    const entry = entryOf(call.path, node);
    if (entry.kind === "directory") throw new StoreError("is-a-directory", "a directory has no bytes");
    if (call.ifMatch !== undefined && call.ifMatch !== entry.etag) throw new StoreError("precondition-failed", "the file has another etag", { entry });
    if (call.ifNoneMatch !== undefined && call.ifNoneMatch === entry.etag) throw new StoreError("not-modified", "the file still has this etag", { entry });
    if (node.content === null) return { entry, body: new Uint8Array(0) };
    const content = contents.get(node.content);
    if (content === undefined) throw new StoreError("corrupt", "the index names bytes that it does not know", { entry });
    try {
      const fetched = await fetchContent(session, content, signal);
      await told(session, { path: call.path, bytes: content.size, host: fetched.host, failed: fetched.failed }, fetched);
      return { entry, ...(await bodyOf(fetched, content.size)) };
    } catch (error) {
      if (contents.get(node.content) !== undefined || signal.aborted) throw error;
      // Somebody wrote or deleted it meanwhile, and its links went with it: what is there now?
      if (tries === READS) throw new StoreError("conflict", "the file is being replaced over and over", { cause: error, applied: false });
    }
  }
}

async function told({ settings }: Session, served: Served, fetched: Fetched): Promise<void> {
  try {
    settings.onServed?.(served);
  } catch (error) {
    await fetched[Symbol.asyncDispose]();
    throw error;
  }
}

/** Small files from memory, others from the file that was fetched, which goes when the body ends. */
async function bodyOf(fetched: Fetched, size: number): Promise<{ readonly body: RawBody; readonly handedOver?: boolean }> {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  const letGo = async (): Promise<void> => {
    await file?.close();
    await fetched[Symbol.asyncDispose]();
  };
  try {
    file = await open(fetched.file, "r");
    if (size <= IN_MEMORY) {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size;) {
        const { bytesRead } = await file.read(bytes, at, size - at, at);
        if (bytesRead === 0) throw new StoreError("unavailable", "the fetched file was cut while it was read");
        at += bytesRead;
      }
      await letGo();
      return { body: bytes, handedOver: true };
    }
  } catch (error) {
    await letGo();
    throw error;
  }
  const handle = file;
  let at = 0;
  return {
    body: byteStream({
      length: size,
      async pull() {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(Math.min(PIECE, Math.max(1, size - at))), 0, undefined, at);
        at += bytesRead;
        return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
      },
      close: letGo,
    }),
  };
}

/** Building an archive whose id is begun, and sending it. */
import type { Core } from "./core.ts";
import { buildArchive } from "./format/build.ts";
import type { BuiltArchive, NewArchive } from "./format/build.ts";
import { chunksSource } from "./sources.ts";
import { stampedNow } from "./uploads.ts";
import type { Upload, Uploads } from "./uploads.ts";

/** What cannot be built gives its id back. Resolves to the size when it is stored and learnt. */
export async function sendArchive(core: Core, uploads: Uploads, kind: Upload["kind"], archive: NewArchive): Promise<number> {
  const { id, timeMs } = archive;
  let built: BuiltArchive;
  try {
    built = await buildArchive(archive);
  } catch (error) {
    uploads.cancel(id);
    throw error;
  }
  await uploads.send({
    id,
    kind,
    object: built.object,
    size: built.size,
    timeMs: () => timeMs,
    ...stampedNow(core),
    source: () => chunksSource(built.chunks, built.size, core.step),
    manifest: () => built,
  });
  return built.size;
}

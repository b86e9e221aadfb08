/** One PUT of bytes in memory, repeated where the service says that it did nothing because another writer was at it: the one piece of a write that is worth that here. */
import { createHash } from "node:crypto";
import { StoreError } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { isFailure, NO_ETAG, S3Failure } from "./failure.ts";
import { headOrNothing } from "./look.ts";
import { tries } from "./tries.ts";
import type { Properties, PutConditions, Stored } from "./wire.ts";

const OVERTAKEN = "Overtaken";
const VANISHED = "Vanished";

/** @throws StoreError `conflict`, `applied` "unknown": others wrote the same file at the same moment, in all three tries */
export async function putBytes(
  context: Context,
  key: string,
  bytes: Uint8Array,
  properties: Properties,
  conditions: PutConditions,
  md5: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Stored> {
  const send = async (): Promise<Stored> => {
    try {
      return await context.wire.put(key, bytes, properties, conditions, md5, signal);
    } catch (error) {
      if (!isFailure(error, NO_ETAG)) throw error;
      return await storedAfterAll(context, key, bytes, error, signal);
    }
  };
  try {
    return await tries(context.session, signal, send, (error) => isFailure(error, 409, OVERTAKEN, VANISHED));
  } catch (error) {
    // Nothing is there after three tries: who answers may be no service at all.
    if (isFailure(error, VANISHED)) throw error.cause;
    if (!isFailure(error, OVERTAKEN)) throw error;
    throw new StoreError("conflict", "somebody else wrote the file at the same moment", { cause: error, applied: "unknown", transient: true });
  }
}

/**
 * Of racing writers Swift tells those whose bytes are older than what is there by now that all is well, and names no etag. A proxy that answers in the
 * place of a service names none either. One look tells whether these bytes are there, another writer's, or (somebody deletes as well) none; where it
 * fails, the first error stands.
 */
async function storedAfterAll(context: Context, key: string, bytes: Uint8Array, error: unknown, signal: AbortSignal | undefined): Promise<Stored> {
  const found = await headOrNothing(context, key, signal).catch(() => null);
  if (found === undefined) throw new S3Failure({ status: 200, code: VANISHED, message: "nothing is there", cause: error });
  if (found === null || found.etag === null) throw error;
  const { etag, modifiedMs, encrypted } = found;
  if (etag === createHash("md5").update(bytes).digest("hex")) return { etag, modifiedMs, encrypted };
  throw new S3Failure({ status: 200, code: OVERTAKEN, message: "another writer's bytes are there", cause: error });
}

/** Another spelling of one name, which Dropbox does not do by itself: to a temporary name, and back under the new one. */
import { StoreError, undone } from "../../store/index.ts";
import { metadataIn } from "./entries.ts";
import type { Metadata } from "./entries.ts";
import { ApiError, isRefusal, outcomeUnknown, refusalOf, translate } from "./errors.ts";
import { metadataAt, seen } from "./look.ts";
import type { Session } from "./session.ts";

export async function respell(session: Session, from: string, to: string, there: Metadata, signal: AbortSignal | undefined): Promise<Metadata> {
  // Only a parent is spelt otherwise: its own name is what is listed.
  if (there.name === session.names.last(to)) return there;
  const temporary = session.names.beside(from);
  const move = async (from_path: string, to_path: string, by: AbortSignal | undefined): Promise<Metadata> => {
    const { result } = await session.ask("filesMoveV2", { from_path, to_path, autorename: false }, by, { quietMs: session.settings.treeTimeoutMs });
    return metadataIn((result as { readonly metadata?: unknown } | null)?.metadata);
  };
  return session.commit(signal, async () => {
    try {
      await move(from, temporary, signal);
    } catch (error) {
      throw error instanceof ApiError && !outcomeUnknown(error) ? refusalOf(error) : await back(error);
    }
    try {
      // Given up here it would lie under a name that nobody knows.
      return await move(temporary, to, undefined);
    } catch (error) {
      throw await back(error);
    }
  });

  /** Under its old name again, wherever it lies. */
  async function back(error: unknown): Promise<unknown> {
    const known = translate(error);
    try {
      await move(temporary, from, undefined);
      return undone(error, undefined, translate);
    } catch (failure) {
      // It is not under the temporary name: the first move did not happen, or the second one did.
      // What was just moved may be hidden from the next move, but not from a look.
      if (isRefusal(failure, "from_lookup/not_found") && (await seen(() => metadataAt(session, temporary, undefined))) === null) return known ?? error;
      return new StoreError("conflict", "a rename that changes the spelling stopped half way: the file lies beside it under a hidden name, .stratus-….tmp", {
        applied: "partly",
        cause: error,
      });
    }
  }
}

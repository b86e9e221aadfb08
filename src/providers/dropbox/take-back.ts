/**
 * The service stored other bytes than were sent: its version goes again, and the one before it comes back. That one may have been deleted long ago, which no
 * answer tells: a file too much is better than one that is lost.
 */
import { StoreError } from "../../store/index.ts";
import type { FileMetadata } from "./entries.ts";
import type { Session } from "./session.ts";

export async function takeBack(session: Session, native: string, wrong: FileMetadata, wasAbsent: boolean): Promise<StoreError> {
  const reason = "the service stored other bytes than were sent";
  try {
    return await session.commit(undefined, async () => {
      const { result } = await session.ask("filesListRevisions", { path: native, limit: 2 }, undefined);
      const { entries } = result as { readonly entries: readonly { readonly rev: string }[] };
      await session.ask("filesDeleteV2", { path: native, parent_rev: wrong.rev }, undefined);
      const before = wasAbsent ? undefined : entries.find(({ rev }) => rev !== wrong.rev);
      if (before !== undefined) await session.ask("filesRestore", { path: native, rev: before.rev }, undefined);
      return new StoreError("integrity", reason, { transient: true, applied: false });
    });
  } catch (cause) {
    return new StoreError("integrity", `${reason}, and they could not be taken back`, { applied: true, cause });
  }
}

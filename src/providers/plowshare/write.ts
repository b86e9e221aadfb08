/** A write: spooled, uploaded to enough hosts, and then there. */
import { abortError } from "../../store/index.ts";
import type { Entry, WriteCall } from "../../store/index.ts";
import type { Session } from "./session.ts";
import { spooled } from "./spooled.ts";
import { transaction } from "./sqlite.ts";
import { place, tooFew } from "./upload.ts";

/** There with its links and its row, in one transaction, or not at all. */
export async function write(
  session: Session,
  { path, body, ifAbsent, ifMatch, modifiedMs, contentType, metadata }: WriteCall,
  signal: AbortSignal,
): Promise<Entry> {
  const { tree, contents, db } = session.library;
  const { copies, minCopies, random } = session.settings;
  // A first look, so that nothing is uploaded for nothing; the second, with the row, decides.
  tree.mayWrite(path, ifAbsent, ifMatch);
  await using file = await spooled(body, session.commands.surroundings.run, random, signal);
  const facts = { modifiedMs: modifiedMs ?? session.now(), contentType, metadata };
  if (file.size === 0) return tree.put(path, { ...facts, content: null }, ifAbsent, ifMatch);
  const placed = await place(session, { file, copies, signal });
  const { held } = placed;
  try {
    if (held.length < minCopies) throw tooFew(placed, minCopies);
    if (signal.aborted) throw abortError(signal, { applied: false });
    return transaction(db, () => {
      const content = contents.add(file.size, file.sha256);
      contents.attach(content, held, session.now());
      return tree.put(path, { ...facts, content }, ifAbsent, ifMatch);
    });
  } catch (error) {
    contents.letGo(held, session.now());
    throw error;
  }
}

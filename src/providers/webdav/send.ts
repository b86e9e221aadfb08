/** PUT until it is stored: what stands in the way is looked up and said as such, a missing parent is made. */
import { beforehand, bytesFrom, parentOf, root } from "../../store/index.ts";
import type { Source, StoreError, WriteCall } from "../../store/index.ts";
import { ensure, hasParent } from "./directories.ts";
import { errorOf, translate } from "./errors.ts";
import { look, rootWasMade } from "./look.ts";
import type { Session } from "./session.ts";
import type { Upload } from "./upload.ts";

const WORTH_A_LOOK = 64 << 10;
/** Answers that say something about the place, each server in its own way: a directory of that name, a parent that is missing or a file. */
const ABOUT_THE_PLACE: ReadonlySet<number> = new Set([301, 302, 307, 308, 400, 403, 404, 405, 409, 424, 500, 501]);

/**
 * PUT, and once more where the parent was missing and has been made. Returns only on success, with one exception: null where the parent is missing and
 * the body is a stream that nobody has touched yet. Parents made for a body that then fails would stay, so such a body goes elsewhere first.
 */
export async function send(session: Session, call: WriteCall, href: string): Promise<Upload | null> {
  const { path, signal } = call;
  const body = await sendable(call.body);
  const asks = session.settings.profile.refusesEarly && session.continues;
  // Where a missing parent shows only after the body, a large one is not sent to find out.
  if (!asks && (!body.inMemory || (body.size ?? 0) > WORTH_A_LOOK) && !(await beforehand(hasParent(session, path, signal), signal, translate))) {
    if (!body.inMemory) return null;
    await beforehand(ensure(session, parentOf(path), signal), signal, translate);
  }
  const sent = { whole: false };
  for (let again = true; ; again = false) {
    const answer = await session.put(href, body, signal, sent);
    const { status } = answer;
    if (status === 200 || status === 201 || status === 204) {
      session.remember(parentOf(path));
      return answer;
    }
    if (status >= 200 && status < 300)
      throw errorOf(answer, { code: "unavailable", reason: `the server does not say that the file is stored (${status})`, applied: "unknown" });
    // A refusal has done nothing; of a failure inside nobody knows.
    if (status < 500) sent.whole = false;
    const missing = await diagnose(session, call, answer);
    if (!again || (answer.spent && !body.replayable)) throw lost(answer);
    if (missing && !body.inMemory) return null;
    if (missing) await ensure(session, parentOf(path), signal);
  }
}

/** An empty body has no last byte to hold back: it must have ended well before the server hears of it. */
export async function sendable(body: Source): Promise<Source> {
  if (body.size !== 0 || body.inMemory) return body;
  await using stream = body.open();
  await stream.all();
  return { size: 0, replayable: true, opened: true, inMemory: true, open: () => bytesFrom(new Uint8Array(0)) };
}

/** What stands in the way, said as such. Returns where another try may help: whether the parent is missing, or has just been made by somebody else. */
async function diagnose(session: Session, call: WriteCall, answer: Upload): Promise<boolean> {
  const { status } = answer;
  const { path, signal } = call;
  if (!ABOUT_THE_PLACE.has(status)) throw errorOf(answer);
  const there = await look(session, path, signal);
  if (there?.kind === "directory") {
    throw errorOf(answer, { code: "is-a-directory", reason: "there is a directory of this name", applied: false });
  }
  if (there !== null) throw lost(answer);
  const parent = parentOf(path);
  // A lost root is said as such; one that createRoot has just made is a place for the file.
  if (parent === root) {
    if (!(await rootWasMade(session, signal))) throw lost(answer);
    return false;
  }
  const above = await look(session, parent, signal);
  if (above?.kind === "directory") return false;
  if (above?.kind === "file") throw errorOf(answer, { code: "not-a-directory", reason: "a parent of this path is a file", applied: false });
  session.forget();
  return true;
}

/** A refusal that nothing at the path explains. */
function lost(answer: Upload): StoreError {
  const { status } = answer;
  if (status === 404 || status === 409 || status === 424)
    return errorOf(answer, { code: "conflict", reason: `the server has no place for the file at this moment (${status})`, applied: false });
  if (status >= 300 && status < 400) return errorOf(answer, { code: "config", reason: "the server sends us to another address for this file", applied: false });
  return errorOf(answer);
}

/** Quota of the base collection (RFC 4331), asked for by name: some servers leave it out of "all properties". */
import { StoreError } from "../../store/index.ts";
import type { Space } from "../../store/index.ts";
import { errorOf } from "./errors.ts";
import { propfind, resources, rootWasMade } from "./look.ts";
import { textOf } from "./multistatus.ts";
import type { Session } from "./session.ts";

const QUOTA = '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><quota-available-bytes/><quota-used-bytes/></prop></propfind>';
/** Nextcloud's way to say unlimited; -1 and -2 are "not computed" and "unknown". */
const UNLIMITED = "-3";

export async function space(session: Session, signal: AbortSignal | undefined): Promise<Space> {
  const { base } = session.settings;
  const answer = await propfind(session, base, "0", signal, QUOTA);
  if (answer.status === 404 || answer.status === 410) {
    if (await rootWasMade(session, signal)) return space(session, signal);
    throw errorOf(answer, { code: "conflict", reason: "the collection of the url came back at this moment" });
  }
  const all = await resources(session, answer);
  const found = all.find((one) => session.names.same(one.href, base)) ?? all[0];
  if (found === undefined) throw new StoreError("unavailable", "the server's answer is empty");
  const used = bytesOf(found.props["quota-used-bytes"]);
  const free = textOf(found.props["quota-available-bytes"])?.trim() === UNLIMITED ? Infinity : bytesOf(found.props["quota-available-bytes"]);
  return { used, free, total: used === null || free === null ? (free === Infinity ? Infinity : null) : used + free };
}

function bytesOf(value: unknown): number | null {
  const text = textOf(value)?.trim() ?? "";
  return /^\d+$/.test(text) ? Number(text) : null;
}

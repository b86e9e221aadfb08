/** How much room there is, and whose account it is (about.get). */
import type { Account, Space } from "../../store/index.ts";
import type { Signal } from "./api.ts";
import type { Session } from "./session.ts";

export async function space({ api, settings }: Session, signal: Signal): Promise<Space> {
  // The quota is that of the person; a shared drive has none that anybody is told.
  if (settings.driveId !== undefined) return { used: null, free: null, total: null };
  const about = await api.about("storageQuota(limit,usage)", signal);
  const { limit, usage } = (about["storageQuota"] ?? {}) as { limit?: string; usage?: string };
  const used = usage === undefined ? null : Number(usage);
  // Without a limit there is none.
  if (limit === undefined) return { used, free: Infinity, total: Infinity };
  return { used, free: used === null ? null : Math.max(0, Number(limit) - used), total: Number(limit) };
}

export async function account({ api }: Session, signal: Signal): Promise<Account> {
  const about = await api.about("user(displayName,emailAddress)", signal);
  const { displayName, emailAddress } = (about["user"] ?? {}) as { displayName?: string; emailAddress?: string };
  const user = emailAddress ?? displayName ?? null;
  return {
    provider: "drive",
    user,
    text: `Google Drive${user === null ? "" : ` of ${displayName ?? user}`}${emailAddress === undefined ? "" : ` (${emailAddress})`}`,
  };
}

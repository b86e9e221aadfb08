/** How much is stored, and whose account it is. */
import { StoreError } from "../../store/index.ts";
import type { Account, Space } from "../../store/index.ts";
import type { Session } from "./session.ts";

interface Usage {
  readonly used?: unknown;
  readonly allocation?: {
    readonly ".tag"?: unknown;
    readonly used?: unknown;
    readonly allocated?: unknown;
    readonly user_within_team_space_allocated?: unknown;
  };
}

/** Of a member of a team: his own limit where he has one, else what the whole team uses and may use. */
export async function space(session: Session, signal: AbortSignal | undefined): Promise<Space> {
  const { used, allocation = {} } = ((await session.ask("usersGetSpaceUsage", undefined, signal)).result ?? {}) as Usage;
  const own = allocation.user_within_team_space_allocated;
  if (allocation[".tag"] !== "team" || (typeof own === "number" && own > 0)) return spaceOf(used, allocation[".tag"] === "team" ? own : allocation.allocated);
  return spaceOf(allocation.used, allocation.allocated);
}

function spaceOf(used: unknown, total: unknown): Space {
  if (typeof used !== "number") throw new StoreError("unavailable", "the service's answer about space is not whole");
  return typeof total === "number" ? { used, total, free: Math.max(0, total - used) } : { used, total: null, free: null };
}

export async function account(session: Session, signal: AbortSignal | undefined): Promise<Account> {
  const { result } = await session.ask("usersGetCurrentAccount", undefined, signal);
  const { email, name } = (result ?? {}) as { readonly email?: unknown; readonly name?: { readonly display_name?: unknown } };
  if (typeof email !== "string") throw new StoreError("unavailable", "the service's answer about the account is not whole");
  const person = typeof name?.display_name === "string" ? `${name.display_name}, ${email}` : email;
  return { provider: "dropbox", user: email, text: `Dropbox of ${person}` };
}

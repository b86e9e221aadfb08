/** Who the account is and what it may store (API reference: SpaceUsage, FullAccount). */
import type { Json } from "./metadata.ts";
import type { Asked } from "./routes.ts";

export function spaceUsage({ account }: Asked): Json {
  const used = account.tree.used();
  if (account.team === undefined) return { used, allocation: { ".tag": "individual", allocated: account.allocated } };
  return {
    used,
    allocation: {
      ".tag": "team",
      used: used + account.team.usedByOthers,
      allocated: account.allocated,
      user_within_team_space_allocated: account.team.member,
      user_within_team_space_limit_type: { ".tag": account.team.member > 0 ? "stop_sync" : "off" },
      user_within_team_space_used_cached: used,
    },
  };
}

export function currentAccount({ account }: Asked): Json {
  return {
    account_id: `dbid:${account.name}`,
    name: { given_name: account.name, surname: "Tester", familiar_name: account.name, display_name: `${account.name} Tester`, abbreviated_name: "T" },
    email: `${account.name}@example.org`,
    email_verified: true,
    disabled: false,
    locale: "en",
    referral_link: "https://www.dropbox.com/referrals/0",
    is_paired: false,
    account_type: { ".tag": "basic" },
    root_info: { ".tag": "user", root_namespace_id: "1", home_namespace_id: "1" },
    country: "DE",
  };
}

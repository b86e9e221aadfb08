/** Which checks a subject gets: by tier, by what it offers, by filters. What is left out is named, never just missing. */
import type { Check, Offer, Tier } from "./check.ts";
import { checks, groupOf } from "./checks/index.ts";
import type { Subject } from "./subject.ts";

export interface Planned {
  readonly check: Check;
  readonly group: string;
  /** Null: the subject as it is. */
  readonly stack: string | null;
}

export interface Plan {
  readonly items: readonly Planned[];
  /** Checks that the subject cannot have because it does not offer what they need, by offer. */
  readonly notOffered: Readonly<Partial<Record<Offer, readonly string[]>>>;
  readonly tier: Tier;
}

export interface PlanOptions {
  readonly tier?: Tier | undefined;
  /** Ids, groups ("writes") or beginnings of ids ("writes.overwrite"). Default: all. */
  readonly only?: readonly string[] | undefined;
  /** Names of stacks; null means the subject as it is. Default: all. */
  readonly stacks?: readonly (string | null)[] | undefined;
  /** Further checks of somebody else, beside the suite's. */
  readonly extra?: readonly Check[] | undefined;
}

const order: Readonly<Record<Tier, number>> = { smoke: 0, full: 1, torture: 2 };

/** The subject's own tier, else STRATUS_TIER, else "full". @throws TypeError for a tier that does not exist */
export function tierOf(subject: Subject, asked?: string | undefined): Tier {
  const tier = asked ?? subject.tier ?? process.env["STRATUS_TIER"] ?? "full";
  if (tier !== "smoke" && tier !== "full" && tier !== "torture") throw new TypeError(`there is no tier ${JSON.stringify(tier)}: smoke, full or torture`);
  return tier;
}

/** @throws TypeError for a filter that selects nothing, or a stack that does not exist */
export function planOf(subject: Subject, options: PlanOptions = {}): Plan {
  const tier = tierOf(subject, options.tier);
  const all = [...checks, ...(options.extra ?? [])];
  const stackNames = Object.keys(subject.stacks ?? {});
  const stacks = options.stacks ?? [null, ...stackNames];
  for (const stack of stacks)
    if (stack !== null && !stackNames.includes(stack))
      throw new TypeError(`"${subject.name}" has no stack "${stack}"${stackNames.length === 0 ? "" : `: ${stackNames.join(", ")}`}`);
  for (const filter of options.only ?? [])
    if (!all.some((check) => selects(filter, check)))
      throw new TypeError(`no check, group or beginning of an id is ${JSON.stringify(filter)}: see \`stratus conformance list\``);
  // A whole id means that check; "writes.overwrite" is not "writes.overwrite.once" too.
  const asked = (check: Check): boolean =>
    options.only === undefined || options.only.some((filter) => (all.some(({ id }) => id === filter) ? check.id === filter : selects(filter, check)));
  const wanted = all.filter((check) => order[check.tier] <= order[tier] && asked(check));
  const notOffered: Partial<Record<Offer, string[]>> = {};
  const possible = wanted.filter((check) => {
    const missing = (check.offers ?? []).filter((offer) => !offers(subject, offer));
    for (const offer of missing) (notOffered[offer] ??= []).push(check.id);
    return missing.length === 0;
  });
  const items = stacks.flatMap((stack) =>
    possible.filter((check) => stack !== null || check.stackOnly !== true).map((check) => ({ check, group: groupOf(check.id), stack })),
  );
  return { items, notOffered, tier };
}

export function offers(subject: Subject, offer: Offer): boolean {
  switch (offer) {
    case "raw":
      return subject.raw !== undefined;
    case "reopens":
      return subject.reopens !== false;
    case "unavailable":
      return subject.unavailable !== undefined;
    case "wire":
      return subject.wire === true;
  }
}

function selects(filter: string, check: Check): boolean {
  return filter === check.id || groupOf(check.id) === filter || check.id.startsWith(`${filter}.`);
}

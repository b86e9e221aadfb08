/** The suite over a subject under many stacks. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import type { Subject } from "../../../src/conformance/index.ts";
import type { WrapperName } from "./layers.ts";
import { depth } from "../../conformance/tier.ts";
import { stacksOf } from "./stacks.ts";
import type { Stacks } from "./stacks.ts";

/** Where a file of such a stack lies at the service is the stack's own business: other clients do not find it under its path. */
function hides(names: readonly WrapperName[]): boolean {
  return names.includes("archive") || names.includes("prefix");
}

export function overStacks(
  subject: Subject,
  lists: readonly (readonly WrapperName[])[],
  { make = stacksOf, tier = depth() }: { readonly make?: (lists: readonly (readonly WrapperName[])[]) => Stacks; readonly tier?: Subject["tier"] } = {},
): void {
  // What a call may cost is said of the bare provider: a cache looks before it asks, an archive lists.
  const { cost: _, raw, ...rest } = subject;
  const open = lists.filter((names) => !hides(names));
  const hidden = lists.filter(hides);
  if (open.length > 0)
    conformance(
      { describe, test },
      { ...rest, ...(raw === undefined ? {} : { raw: raw.bind(subject) }), name: `${subject.name}, stacks`, tier, stacks: make(open) },
    );
  if (hidden.length > 0)
    conformance({ describe, test }, { ...rest, name: `${subject.name}, stacks with names of their own`, tier, stacks: make(hidden) });
}

/** The suite over a subject under many stacks. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import type { Subject } from "../../../src/conformance/index.ts";
import { nameOf } from "./layers.ts";
import type { WrapperName } from "./layers.ts";
import { depth } from "../../conformance/tier.ts";
import { stacksOf } from "./stacks.ts";
import type { Stacks } from "./stacks.ts";

/** Where a file of such a stack lies at the service is the stack's own business: other clients do not find it under its path. */
function hides(names: readonly WrapperName[]): boolean {
  return names.includes("archive") || names.includes("prefix");
}

/** By design, archive.md 5.2 and section 6: many calls are one archive, and no single caller ends it. */
function exceptionsOf(names: readonly WrapperName[], looksFirst: boolean): NonNullable<Subject["expectFail"]> {
  if (!names.includes("archive")) return [];
  return [
    { check: "wire.down.ends", reason: "an archive is sent again until half of `lateMs` is over, whatever a single call of its group would do" },
    { check: "wire.abort.waiting", reason: "a call that is given up after its group was sealed leaves it: the group goes on with the others" },
  ]
    .filter(({ check }) => !(looksFirst && check === "wire.down.ends"))
    .map(({ check, reason }) => ({ check: `${nameOf(names)}/${check}`, reason, until: "2027-12-31" }));
}

export function overStacks(
  subject: Subject,
  lists: readonly (readonly WrapperName[])[],
  {
    make = stacksOf,
    tier = depth(),
    looksFirst = false,
  }: {
    readonly make?: (lists: readonly (readonly WrapperName[])[]) => Stacks;
    readonly tier?: Subject["tier"];
    /** A write asks the service for its folder first: what fails there was not sent, and the archive gives the error to its callers. */
    readonly looksFirst?: boolean;
  } = {},
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
  if (hidden.length > 0) {
    const expectFail =
      subject.wire === true ? [...(subject.expectFail ?? []), ...hidden.flatMap((names) => exceptionsOf(names, looksFirst))] : subject.expectFail;
    const name = `${subject.name}, stacks with names of their own`;
    conformance({ describe, test }, { ...rest, name, tier, stacks: make(hidden), ...(expectFail === undefined ? {} : { expectFail }) });
  }
}

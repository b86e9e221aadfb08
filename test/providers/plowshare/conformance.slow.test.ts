/** The suite over plowshare and file hosts in a directory. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { tier } from "./tier.ts";
import { plowshareSubject } from "./subject.ts";

conformance({ describe, test }, plowshareSubject({ tier }));
conformance(
  { describe, test },
  plowshareSubject(
    { name: "plowshare, two copies at three hosts that resume", tier: "smoke" },
    { copies: 2 },
    { alpha: { resume: true }, beta: {}, gamma: { resume: true } },
  ),
);

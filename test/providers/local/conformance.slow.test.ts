/** CF89: the suite over local disk, and over the ways of the other platforms as far as a Linux disk can follow them. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { retry } from "../../../src/wrappers/index.ts";
import { localSubject } from "./subject.ts";

conformance({ describe, test }, localSubject({ stacks: { retry: () => [retry()] } }));
// This disk tells case apart and keeps forms, which the profiles do not expect.
const disk = { caseSensitive: true, normalisation: "kept" } as const;
conformance({ describe, test }, localSubject({ name: "local, names and renames of Windows", tier: "smoke" }, { ...disk, platform: "windows" }));
conformance({ describe, test }, localSubject({ name: "local, as on macOS, flushed", tier: "smoke" }, { ...disk, platform: "macos", flush: true }));
conformance({ describe, test }, localSubject({ name: "local, without hard links", tier: "smoke" }, { hardLinks: false }));

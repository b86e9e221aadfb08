/** CF88: the suite over a Drive whose search lags, with what the provider remembers. */
import { afterAll, describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { startDrive } from "../../servers/drive/index.ts";
import { driveSubject } from "./subject.ts";

const server = await startDrive({ lagMs: 300 });
afterAll(() => server[Symbol.asyncDispose]());

conformance({ describe, test }, driveSubject(server, { name: "drive, late", tier: "smoke" }, { settleMs: 1000, indexTtlMs: 500 }));

/** The suite over a real plowshare where there is one (real.test.ts says so where there is none): its commands, a module of ours, and a file host on a loopback port. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { loopbackHost } from "../../servers/plowshare/real/loopback.ts";
import { realCommands } from "./real-commands.ts";
import { plowshareSubject } from "./subject.ts";

const commandDirectory = realCommands();
if (commandDirectory === undefined) test.skip("no real plowshare on this machine", () => {});
else {
  const base = await mkdtemp(join(tmpdir(), "stratus-plowshare-real-"));
  const host = await loopbackHost(base);
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  });
  const options = { hosts: ["loopback"], modules: host.modules, commandDirectory, environment: { STRATUS_LOOPBACK_HOST: host.url } };
  const tier = process.env["STRATUS_PLOWSHARE_TIER"] === "full" ? "full" : "smoke";
  conformance({ describe, test }, plowshareSubject({ name: "a real plowshare", tier }, options));
}

/** Everything in docs that is made: code on pages, the guarantees of the contract, the pages of the checks. */
import { spawnSync } from "node:child_process";
import { writeContractPage } from "./contract-page.ts";

await writeContractPage();
for (const script of ["scripts/embed.ts", "scripts/check-pages.ts"]) {
  const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}

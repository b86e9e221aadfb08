import type { Store } from "stratus";
import { plowshare } from "stratus/plowshare";

/** Hosts as plowshare calls them; the index in a directory that only the suite uses. */
export default async function suiteHosts(): Promise<Store> {
  return plowshare({ directory: "./suite-index", createRoot: true, hosts: (process.env["SUITE_HOSTS"] ?? "").split(" "), maxProcesses: 1 });
}

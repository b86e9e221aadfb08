import type { Store } from "stratus";
import { dropbox } from "stratus/dropbox";
import { readTokens } from "stratus/tokens";

export default async function suiteAccount(): Promise<Store> {
  return dropbox({ ...(await readTokens("dropbox", { account: "suite" })), root: "/stratus-suite", createRoot: true });
}

import type { Store } from "stratus";
import { drive } from "stratus/drive";
import { readTokens } from "stratus/tokens";

export default async function suiteAccount(): Promise<Store> {
  return drive({ auth: await readTokens("drive", { account: "suite" }), folder: "/stratus-suite", createRoot: true });
}

import { stack } from "stratus";
import type { Store } from "stratus";
import { sugarsync } from "stratus/sugarsync";
import { readTokens } from "stratus/tokens";
import { prefix } from "stratus/wrappers";

/** In a sync folder of its own, which is made. */
export default async function suiteAccount(): Promise<Store> {
  return stack(sugarsync(await readTokens("sugarsync", { account: "suite" })), prefix("/Stratus suite"));
}

/** The store over whatever runs its commands: processes, or for tests of all else something cheaper. */
import { createStore } from "../../store/index.ts";
import type { Layered, Store } from "../../store/index.ts";
import { controlOf } from "./control.ts";
import type { PlowshareControl } from "./control.ts";
import { storeSettingsOf } from "./options.ts";
import type { PlowshareOptions } from "./options.ts";
import type { Runner } from "./process.ts";
import { Plowshare } from "./provider.ts";

export function plowshareBy(runner: Runner, options: PlowshareOptions): Store & Layered<"plowshare", PlowshareControl> {
  const settings = storeSettingsOf(options);
  const provider = new Plowshare(settings, runner);
  const store: Store & Layered<"plowshare", PlowshareControl> = createStore(provider, {
    name: options.name,
    control: controlOf(provider, settings, () => store.open()),
  });
  return store;
}

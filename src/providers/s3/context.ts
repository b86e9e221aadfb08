/** What every verb works with: the open store in parts. Short: the verbs are functions over it, one file each. */
import type { Keys } from "./keys.ts";
import type { Settings } from "./options.ts";
import type { Sdk } from "./sdk.ts";
import type { Session } from "./session.ts";
import type { Vendor } from "./vendors.ts";
import type { Wire } from "./wire.ts";

export interface Context {
  readonly session: Session;
  readonly settings: Settings;
  readonly vendor: Vendor;
  readonly keys: Keys;
  readonly wire: Wire;
  readonly sdk: Sdk;
}

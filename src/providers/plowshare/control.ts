/** The run-time side of the store: hosts, checks, repairs, what waits to be removed. */
import { control } from "../../store/index.ts";
import type { Control } from "../../store/index.ts";
import type { Plowshare } from "./provider.ts";

export type PlowshareControl = Control;
export function controlOf(provider: Plowshare): PlowshareControl {
  void provider;
  return control("plowshare", {}, {});
}

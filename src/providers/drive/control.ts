/** The run-time side of a Drive store: what it has noticed. */
import { control } from "../../store/index.ts";
import type { Control } from "../../store/index.ts";

export interface DriveControl extends Control {
  /** `duplicates`: how often several files of one name were met in one folder. */
  report(): { readonly duplicates: number };
}

export function controlOf(provider: { readonly duplicates: number }): DriveControl {
  return { ...control("drive", {}, {}), report: () => ({ duplicates: provider.duplicates }) };
}

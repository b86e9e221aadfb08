/** Reading whole files: every form, early ends, many readers, what is no file (behaviours 54 to 60). Ranges are in ranges.ts. */
import type { Check } from "../check.ts";
import { checks as flow } from "./reads-flow.ts";
import { checks as forms } from "./reads-forms.ts";

export const checks: readonly Check[] = [...forms, ...flow];

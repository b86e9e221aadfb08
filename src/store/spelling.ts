/** Services that fold case or Unicode forms: which names are one. */
import type { Capabilities } from "./capabilities.ts";
import { StoreError } from "./errors.ts";
import type { CopyCall, MoveCall } from "./operations.ts";
import { isInside } from "./path.ts";
import type { StorePath } from "./path.ts";

/**
 * Are these two spellings of one name, on a service that folds case or forms? Then nothing may be copied: it would be written over itself. Rather one too
 * many than one too few. Throws where a directory would go into itself under another spelling.
 */
export function oneName({ path, to }: CopyCall | MoveCall, { caseSensitive, normalisation }: Capabilities): boolean {
  if (caseSensitive && normalisation === "kept") return false;
  const fold = (text: string): StorePath => {
    const form = normalisation === "kept" ? text : text.normalize(normalisation === "nfkc" ? "NFKC" : "NFC");
    return (caseSensitive ? form : form.toLowerCase().toUpperCase()) as StorePath;
  };
  const [from, target] = [fold(path), fold(to)];
  if (from !== target && isInside(target, from)) throw new StoreError("invalid-path", "a directory cannot go into itself");
  return from === target;
}

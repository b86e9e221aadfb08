/** The backend below a store's front, with the capabilities enforced: for questions that a Store cannot ask (`listIfNoneMatch`, single pages). */
import { borrow, layer } from "../store/index.ts";
import type { Backend, Store } from "../store/index.ts";

/** The store stays the caller's: nothing of it is closed by this. */
export function backendOf(store: Store): Backend {
  let found: Backend | undefined;
  layer("look", (inner) => {
    found = inner;
    return { backend: inner };
  })(borrow(store));
  if (found === undefined) throw new TypeError("the layer was not built when it was applied");
  return found;
}

/** Another process that wants a cache directory: says what it was told. */
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError } from "../../../src/store/index.ts";
import { cachingWith } from "../../../src/wrappers/caching/index.ts";

const store = cachingWith({ locksOwnerFile: process.argv[3] !== "without" }, { directory: process.argv[2] as string })(memory());
try {
  await store.open();
  console.log("opened");
} catch (error) {
  console.log(StoreError.is(error) ? error.code : String(error));
}
process.exit(0);

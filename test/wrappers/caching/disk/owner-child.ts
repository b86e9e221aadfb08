/** Holds a cache directory until it is killed. */
import { open } from "./left-behind.ts";

const store = await open(process.argv[2] as string);
await store.write("/theirs", "acknowledged");
process.stdout.write("open\n");
setInterval(() => {}, 60_000);

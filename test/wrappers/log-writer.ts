/** A process of log.slow.test.ts: `node log-writer.ts <file> <name> <records>` makes so many calls on a store that logs to that file. */
import { memory } from "../../src/providers/memory/index.ts";
import { stack } from "../../src/store/index.ts";
import { logFile } from "../../src/wrappers/log-file.ts";
import { log } from "../../src/wrappers/log.ts";

const [file = "", name = "", records = "0"] = process.argv.slice(2);
await using store = stack(memory(), log({ sink: logFile(file), name }));
// The paths are long, so that a line that is not written whole would show.
for (let i = 0; i < Number(records); i++) await store.stat(`/${name}-${i}-${"x".repeat(200)}`).catch(() => {});

/** `npm run build`: dist/ from src/, from nothing each time, so that no file of an earlier build is shipped. */
import { chmod, rm } from "node:fs/promises";
import { run } from "./tasks.ts";

await rm("dist", { recursive: true, force: true });
const { ok } = await run({ name: "build", command: "tsc", args: ["-p", "tsconfig.build.json"] });
if (ok) await chmod("dist/cli/stratus.js", 0o755);
process.exitCode = ok ? 0 : 1;

/** The file of the metadata cache with each byte wrong in turn, and a second process that wants it too. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "vitest";
import { Starts, damageIsSeen } from "./proofs-file.ts";
import { right } from "./world.ts";

test(damageIsSeen.name, { timeout: 600_000 }, async () => damageIsSeen.run(right));

test("another process is refused while this one has the file, and gets it afterwards; one that was killed left no lock", { timeout: 60_000 }, async () => {
  await using starts = await Starts.begin(right);
  const { store } = starts.start();
  await store.write("/a", "a");
  assert.equal(await elsewhere(starts.file, ""), "conflict");
  await store.close();
  assert.equal(await elsewhere(starts.file, "process.kill(process.pid, 'SIGKILL')"), "");
  assert.equal(await elsewhere(starts.file, ""), "discarded: not closed");
  assert.equal(await elsewhere(starts.file, ""), "warm");
});

/** What another process says of the file: its state, or the code of the error. `then` runs while it is open. */
async function elsewhere(file: string, then: string): Promise<string> {
  const code = `
    import { memory } from ${JSON.stringify(new URL("../../../src/providers/memory/index.ts", import.meta.url).href)};
    import { metadataCache } from ${JSON.stringify(new URL("../../../src/wrappers/metadata-cache/index.ts", import.meta.url).href)};
    import { stack } from ${JSON.stringify(new URL("../../../src/store/index.ts", import.meta.url).href)};
    const store = stack(memory(), metadataCache({ file: ${JSON.stringify(file)} }));
    try { await store.open(); } catch (error) { console.log(error.code); process.exit(0); }
    ${then};
    console.log(store.layers.metadataCache.report().file);
    await store.close();`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await new Promise((done) => child.once("close", done));
  return said.trim();
}

/** One of two processes that write to one store: `node writer.ts <store> <index> <name>`. Sixty files of its own, twenty of them deleted again, and one that both write. */
import { local } from "../../../../src/providers/local/index.ts";
import { stack } from "../../../../src/store/index.ts";
import { archive } from "../../../../src/wrappers/index.ts";

const [root = "", directory = "", name = ""] = process.argv.slice(2);
const store = stack(local({ directory: root }), archive({ directory, maxDelayMs: 5, refreshMs: 20 }));
let written = 0;
for (let round = 0; round < 6; round++) {
  await Promise.all(Array.from({ length: 10 }, (_, i) => store.write(`/${name}/${round * 10 + i}`, `${name} ${round * 10 + i}`).then(() => written++)));
  await store.write("/both", name);
  if (round < 2) await store.layers.archive.refresh();
}
for (let i = 0; i < 20; i++) await store.delete(`/${name}/${i}`);
await store.close();
console.log(written);

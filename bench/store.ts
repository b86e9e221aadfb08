/** (a) `createStore` over memory, beside OpenDAL's memory service and unstorage's memory driver: what front and adaptor cost where the service costs nothing. */
import { Operator } from "opendal";
import { createStorage } from "unstorage";
import memoryDriver from "unstorage/drivers/memory";
import { memory } from "../src/providers/memory/index.ts";
import type { FigureSet } from "./figure.ts";
import { figure, measure } from "./measure.ts";

const OPENDAL = "opendal memory";
const UNSTORAGE = "unstorage memory";
/** Goals of the issue: ten times OpenDAL, and not more than three times the work of unstorage. */
const TEN_TIMES = { least: 10 };
const WITHIN_THREE = { least: 1 / 3 };

export const figures: FigureSet = {
  name: "store",
  async run(report) {
    const bytes = Buffer.alloc(4096, 7);
    const ours = memory();
    const opendal = new Operator("memory", { root: "/" });
    const unstorage = createStorage({ driver: memoryDriver() });
    for (let i = 0; i < 1000; i++) {
      await ours.write(`/list/file-${i}`, bytes);
      await opendal.write(`list/file-${i}`, bytes);
      await unstorage.setItemRaw(`list:file-${i}`, bytes);
    }
    await ours.write("/dir/file", bytes);
    await opendal.write("dir/file", bytes);
    await unstorage.setItemRaw("dir:file", bytes);
    await proveEqual(bytes);

    const show = (name: string, rates: Readonly<Record<"stratus" | typeof OPENDAL | typeof UNSTORAGE, number>>): void => {
      report(figure(name, rates, "stratus", OPENDAL, TEN_TIMES));
      report(figure(name, rates, "stratus", UNSTORAGE, WITHIN_THREE));
    };
    // unstorage's memory driver knows no size and no time: the cheapest question it answers about one key is hasItem.
    show(
      "stat",
      await measure({ stratus: () => ours.stat("/dir/file"), [OPENDAL]: () => opendal.stat("dir/file"), [UNSTORAGE]: () => unstorage.hasItem("dir:file") }),
    );
    show(
      "read 4 KiB",
      await measure({
        stratus: async () => (await ours.read("/dir/file")).bytes(),
        [OPENDAL]: () => opendal.read("dir/file"),
        [UNSTORAGE]: () => unstorage.getItemRaw("dir:file"),
      }),
    );
    show(
      "write 4 KiB",
      await measure({
        stratus: () => ours.write("/dir/file", bytes),
        [OPENDAL]: () => opendal.write("dir/file", bytes),
        [UNSTORAGE]: () => unstorage.setItemRaw("dir:file", bytes),
      }),
    );
    show(
      "list of 1,000",
      await measure({ stratus: () => ours.list("/list").toArray(), [OPENDAL]: () => opendal.list("list/"), [UNSTORAGE]: () => unstorage.getKeys("list") }),
    );

    /** A comparison of answers, so that nobody is fast by answering something else. */
    async function proveEqual(written: Buffer): Promise<void> {
      const read = await (await ours.read("/dir/file")).bytes();
      const names = (await ours.list("/list").toArray()).length;
      const theirs = (await opendal.list("list/")).filter((one) => one.path() !== "list/").length;
      const keys = (await unstorage.getKeys("list")).length;
      if (written.compare(read) !== 0 || written.compare(await opendal.read("dir/file")) !== 0) throw new Error("the stores do not hold what was written");
      if (names !== 1000 || theirs !== 1000 || keys !== 1000) throw new Error(`lists of ${names}, ${theirs} and ${keys} names where 1,000 were written`);
    }
  },
};

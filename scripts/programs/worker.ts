/** One batch of programs in a process of its own: `node worker.ts <family> <property> <seed> <runs>`; prints one line of JSON. */
import { families } from "./family.ts";
import type { Family } from "./family.ts";

const [name = "", property = "0", seed = "1", runs = "1"] = process.argv.slice(2);
const path = families[name];
if (path === undefined) throw new Error(`there is no family ${name}`);
const { family } = (await import(path)) as { readonly family: Family };
const chosen = family.properties[Number(property) % family.properties.length];
if (chosen === undefined) throw new Error(`${name} has no properties`);
process.stdout.write(`${JSON.stringify({ property: chosen.name, ...(await chosen.check(Number(seed), Number(runs))) })}\n`, () => process.exit(0));

/** CF75: every wrapper over prefix, on memory. */
import { pairsTest } from "./pairs.ts";

pairsTest(["prefix"]);

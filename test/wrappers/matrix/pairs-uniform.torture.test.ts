/** CF75: every wrapper over each uniform one, on memory. */
import { uniformNames } from "./layers.ts";
import { pairsTest } from "./pairs.ts";

pairsTest(uniformNames);

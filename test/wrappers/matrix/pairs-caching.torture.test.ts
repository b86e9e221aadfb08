/** CF75: every wrapper over caching, on memory. */
import { pairsTest } from "./pairs.ts";

pairsTest(["caching"]);

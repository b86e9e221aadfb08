/** CF75: every wrapper over metadataCache, on memory. */
import { pairsTest } from "./pairs.ts";

pairsTest(["metadataCache"]);

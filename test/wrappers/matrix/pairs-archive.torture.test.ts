/** CF75: every wrapper over archive, on memory. */
import { pairsTest } from "./pairs.ts";

pairsTest(["archive"]);

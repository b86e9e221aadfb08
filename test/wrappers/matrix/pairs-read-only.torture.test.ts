/** CF75: every wrapper over readOnly, on memory. */
import { pairsTest } from "./pairs.ts";

pairsTest(["readOnly"]);

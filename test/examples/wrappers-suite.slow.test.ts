/** The suite over the wrappers of docs/write-a-wrapper.md, as the page runs it. */
import "../../examples/wrappers/suite.test.ts";

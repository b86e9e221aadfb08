/** The suite over the wrappers of docs/write-a-wrapper.md, as the page runs it. */
await import("../../examples/wrappers/suite.test.ts");

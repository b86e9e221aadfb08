/** Whole files in a local directory, as the pool and the repository keep them. */
export { copyOut } from "./copy-out.ts";
export { digestFile, digestOf } from "./digest.ts";
export { codeOf, onDiskOf } from "./disk-errors.ts";
export { LocalFiles } from "./local-files.ts";
export { readMarker, writeMarker } from "./marker.ts";
export { Pins } from "./pins.ts";

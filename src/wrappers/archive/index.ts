/** The archive layer. */
export { Archive, archive } from "./archive.ts";
export type { ArchiveControl, ArchiveEvent, ArchiveOptions, ArchiveSettings, Problem, Repacked, WriterReport } from "./options.ts";

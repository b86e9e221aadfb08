/** What differs between operating systems, as data. Only Linux runs in our tests; the other two follow the vendors' documents. */
import type { Capabilities, NameRules } from "../../store/index.ts";

export type Platform = "linux" | "macos" | "windows";

export interface Profile {
  readonly names: NameRules;
  readonly maxNameBytes: number;
  /** Bytes of the longest path that the system takes, the directory of the store included. */
  readonly maxNativePathBytes: number;
  readonly caseSensitive: boolean;
  readonly normalisation: Capabilities["normalisation"];
  /** rename(2) puts a directory in the place of an empty one. Where it does not, the empty one is removed first. */
  readonly replacesEmptyDirectory: boolean;
  /** A directory can be opened and flushed, which makes a rename in it durable. */
  readonly flushesDirectories: boolean;
  /** Other programs hold files open so that they cannot be replaced for a moment: try again for a second. */
  readonly busyFiles: boolean;
}

/** Names of devices, also with spaces or an extension behind: "con", "NUL .txt". */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\..*)?$/i;
const CONTROLS = Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join("");

export const profiles: Readonly<Record<Platform, Profile>> = {
  linux: {
    names: {},
    maxNameBytes: 255,
    maxNativePathBytes: 4095,
    caseSensitive: true,
    normalisation: "kept",
    replacesEmptyDirectory: true,
    flushesDirectories: true,
    busyFiles: false,
  },
  // APFS as installed: case and canonical forms fold, and names come back as they were written. https://developer.apple.com/support/apple-file-system/
  macos: {
    names: { fold: true },
    maxNameBytes: 255,
    maxNativePathBytes: 1023,
    caseSensitive: false,
    normalisation: "nfd",
    replacesEmptyDirectory: true,
    flushesDirectories: true,
    busyFiles: false,
  },
  // https://learn.microsoft.com/windows/win32/fileio/naming-a-file; names have at most 255 UTF-16 units, so 255 bytes always fit.
  windows: {
    names: { any: `<>:"|?*\\${CONTROLS}`, last: ". ", reserved: (name) => WINDOWS_DEVICE.test(name), fold: true },
    maxNameBytes: 255,
    maxNativePathBytes: 32_000,
    caseSensitive: false,
    normalisation: "kept",
    replacesEmptyDirectory: false,
    flushesDirectories: false,
    busyFiles: true,
  },
};

export function platformOf(system: NodeJS.Platform): Platform {
  return system === "win32" ? "windows" : system === "darwin" ? "macos" : "linux";
}

/** Where a real plowshare is: STRATUS_PLOWSHARE names the directory of its commands, else PATH is looked through. Undefined: there is none on this machine. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export function realCommands(): string | undefined {
  return [process.env["STRATUS_PLOWSHARE"] ?? "", ...(process.env["PATH"] ?? "").split(delimiter)].find((directory) => {
    if (directory === "") return false;
    try {
      accessSync(join(directory, "plowup"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

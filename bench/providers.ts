/**
 * Dropbox, Drive and SugarSync on their emulators, beside the official package used directly and Debian's rclone: requests per operation, small files, large
 * ones. For requests the ratio is of counts, and at most 1 is good; for speeds at least 1 is.
 *
 * An emulator has no distance: what a request costs on the way, and what a service takes to commit, these figures do not show.
 */
import type { FigureSet } from "./figure.ts";
import type { ContendersOf } from "./providers/contender.ts";
import { driveContenders } from "./providers/drive.ts";
import { dropboxContenders } from "./providers/dropbox.ts";
import type { ServiceName } from "./providers/emulator.ts";
import { requestFigures } from "./providers/requests.ts";
import { startService } from "./providers/service.ts";
import { speedFigures } from "./providers/speed.ts";
import { sugarsyncContenders } from "./providers/sugarsync.ts";

const services: Readonly<Record<ServiceName, ContendersOf>> = { dropbox: dropboxContenders, drive: driveContenders, sugarsync: sugarsyncContenders };

export const figures: FigureSet = {
  name: "providers",
  async run(report) {
    for (const [name, contendersOf] of Object.entries(services) as [ServiceName, ContendersOf][]) {
      for (const figuresOf of [requestFigures, speedFigures]) {
        // An empty one for each: what was measured first is no part of the second.
        await using service = await startService(name);
        await figuresOf(service, contendersOf(service), report);
      }
    }
  },
};

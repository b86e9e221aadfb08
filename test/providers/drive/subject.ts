/** Google Drive, as the emulator has it, as a subject of the suite: a folder of one account for each place, and a second client of the raw API. */
import type { Place, SecondChannel, Subject } from "../../../src/conformance/index.ts";
import { drive } from "../../../src/providers/drive/index.ts";
import type { DriveOptions } from "../../../src/providers/drive/index.ts";
import type { DriveServer } from "../../servers/drive/index.ts";
import { rawDrive } from "../../servers/drive/raw.ts";

/** A port that nobody listens on: refused at once. */
const NOWHERE = "http://127.0.0.1:1/";

/** Pieces as small as Drive allows, so that a few hundred kilobytes are a large file. */
export const small = { chunkBytes: 256 << 10, multipartBytes: 256 << 10 } satisfies Partial<DriveOptions>;

/** By verb, with nothing remembered: each folder on the way is looked up, one request each. docs/providers/drive.md has what is left with the index. */
export const cost = { stat: 3, read: 4, write: 4, list: 3, delete: 5, mkdir: 6, copy: 10, move: 10 } satisfies Subject["cost"];

export function authOf({ oauth: { clientId, clientSecret, refreshToken } }: DriveServer): DriveOptions["auth"] {
  return { clientId, clientSecret, refreshToken };
}

export function driveSubject(server: DriveServer, more: Partial<Subject> = {}, options: Partial<DriveOptions> = {}): Subject {
  const auth = authOf(server);
  return {
    name: "drive",
    wire: true,
    open: (place) =>
      drive({
        auth,
        rootUrl: server.url,
        tokenUrl: server.tokenUrl,
        folder: `/${place.id}`,
        createRoot: true,
        fetch: place.fetch,
        clock: place.clock,
        random: place.random,
        settleMs: 0,
        indexTtlMs: 0,
        ...small,
        ...options,
      }),
    unavailable: () => drive({ auth, rootUrl: NOWHERE, tokenUrl: `${NOWHERE}token` }),
    raw: (place: Place): SecondChannel => rawDrive(server, place.id),
    // Bytes in sessions are looked for in wire.slow.test.ts: here other checks have uploads of their own under way.
    leftovers: async (place) =>
      rawDrive(server, place.id)
        .all()
        .filter((name) => /^\.stratus-[0-9a-z]{20}\.tmp$/.test(name)),
    ...more,
  };
}

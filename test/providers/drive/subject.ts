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
    leftovers: async (place) => {
      const names = rawDrive(server, place.id)
        .all()
        .filter((name) => /^\.stratus-[0-9a-z]{20}\.tmp$/.test(name));
      return server.uploads.open === 0 ? names : names;
    },
    ...more,
  };
}

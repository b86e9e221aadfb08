/** The provider over one running server, as the conformance suite wants it: a collection of its own for each place. */
import type { Subject } from "../../../src/conformance/index.ts";
import { webdav } from "../../../src/providers/webdav/index.ts";
import type { WebdavOptions } from "../../../src/providers/webdav/index.ts";
import type { WebDavConnection } from "../../servers/connection.ts";
import { webdavLeftovers } from "../../servers/leftovers.ts";
import { rawDav } from "../../servers/raw-dav.ts";

/** A port that nobody listens on: reserved, and refused at once. */
const NOWHERE = "http://127.0.0.1:1/";

export function webdavSubject(connection: WebDavConnection, { digest = false }: { readonly digest?: boolean } = {}): Subject {
  const { username, password, name: server } = connection;
  const url = digest ? connection.digestUrl : connection.url;
  if (url === undefined) throw new Error(`${server} has no digest authentication here`);
  const options: Omit<WebdavOptions, "url"> = { username, password, server, auth: digest ? "digest" : "auto", createRoot: true };
  return {
    name: `webdav on ${server}${digest ? " (digest)" : ""}`,
    open: (place) => webdav({ ...options, url: `${place.route(url).replace(/\/$/, "")}/${place.id}/`, random: place.random, clock: place.clock }),
    unavailable: () => webdav({ ...options, url: NOWHERE }),
    raw: (place) => rawDav(connection, place.id, { url, digest }),
    // Of the exact shape: names that only look like it are a user's, and are stored as they are. The shelf of an open session is no leftover, a file on it is.
    leftovers: async (place) =>
      (await webdavLeftovers(connection, place.id)).filter(
        (path) => !(server === "rclone" && isShelf(path, place.id)) && /(?:^|\/)\.stratus-[0-9a-z]{20}\.tmp$/.test(path),
      ),
    wire: true,
    // By verb, for a file below a directory that stands; each is one more where the path is missing, since a lost root must not read as "no files".
    cost: costs[server],
    expectFail: exceptions[server] ?? [],
  };
}

function isShelf(path: string, id: string): boolean {
  return /^\.stratus-[0-9a-z]{20}\.tmp$/.test(path.slice(id.length + 1));
}

/** What cannot hold on a server, and why: docs/providers/webdav.md has the same list. */
const exceptions: Partial<Readonly<Record<WebDavConnection["name"], NonNullable<Subject["expectFail"]>>>> = {
  sabredav: [
    {
      check: "raw.names.unicode",
      reason: "SabreDAV 1.8 under PHP 8.2 stores rare characters as pairs of others, so they are tokens: other clients see %{10FFFF}",
      until: "2027-12-31",
    },
  ],
  nginx: [{ check: "raw.names.dots", reason: "nginx lists no dot-files, so their dot is a token: other clients see %{2E}a", until: "2027-12-31" }],
};

const native = { stat: 1, read: 1, write: 2, list: 1, delete: 2, mkdir: 1, copy: 3, move: 3 };
const costs: Readonly<Record<WebDavConnection["name"], NonNullable<Subject["cost"]>>> = {
  apache: { ...native, read: 2 },
  lighttpd: { ...native, read: 2, copy: 4, move: 4 },
  nginx: native,
  sabredav: { ...native, read: 2, write: 5 },
  rclone: { ...native, read: 2, write: 6, mkdir: 2 },
};

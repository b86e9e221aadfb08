/** Which server is it? Two requests, nothing changed. */
import { errorOf } from "./errors.ts";
import { settingsOf } from "./options.ts";
import type { WebdavOptions } from "./options.ts";
import { propfind, resources } from "./look.ts";
import type { WebdavServer } from "./profiles.ts";
import { Session } from "./session.ts";

export interface DetectedWebdav {
  /** The profile to give as `server`; "generic" where nothing tells. */
  readonly server: WebdavServer;
  /** What it was told by, for people. */
  readonly evidence: string;
}

/** Asks OPTIONS and PROPFIND of the url. @throws StoreError `config` where nothing there speaks WebDAV, `unauthenticated`, `unavailable`. */
export async function detectWebdav(options: WebdavOptions, call: { readonly signal?: AbortSignal | undefined } = {}): Promise<DetectedWebdav> {
  // "auto" hears the challenge, which is all that some servers tell of themselves.
  const session = await Session.open(settingsOf({ ...options, auth: options.auth === "digest" ? "digest" : "auto" }));
  try {
    const { base } = session.settings;
    const listing = await propfind(session, base, "0", call.signal);
    if (listing.status === 404) throw errorOf(listing, { code: "config", reason: "the collection of the url does not exist" });
    await resources(session, listing);
    const answer = await session.ask({ method: "OPTIONS", href: base, signal: call.signal, repeatable: true });
    return serverOf((name) => answer.headers.get(name) ?? listing.headers.get(name) ?? "", session.challenge);
  } finally {
    await session.close();
  }
}

/** The order matters: SabreDAV and Nextcloud stand behind an Apache or nginx that says so too. */
function serverOf(header: (name: string) => string, challenge: string): DetectedWebdav {
  const dav = header("dav");
  const server = header("server");
  const sabre = header("x-sabre-version");
  if (/\b(?:nc|oc)-|nextcloud|owncloud/i.test(`${dav} ${server}`) || header("x-nextcloud-user-status") !== "")
    return { server: "nextcloud", evidence: `DAV: ${dav}` };
  if (sabre !== "" || /extended-mkcol/i.test(dav)) return { server: "sabredav", evidence: sabre === "" ? `DAV: ${dav}` : `X-Sabre-Version: ${sabre}` };
  for (const [found, name] of [
    [/^rclone\//i, "rclone"],
    [/^apache\b/i, "apache"],
    [/^lighttpd\b/i, "lighttpd"],
    [/^nginx\b/i, "nginx"],
  ] as const) {
    if (found.test(server)) return { server: name, evidence: `Server: ${server}` };
  }
  if (/realm="rclone"/i.test(challenge)) return { server: "rclone", evidence: `WWW-Authenticate: ${challenge}` };
  return { server: "generic", evidence: `Server: ${server}` };
}

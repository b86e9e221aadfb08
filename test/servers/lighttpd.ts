/**
 * lighttpd mod_webdav: atomic and fast, the second opinion on WebDAV.
 *
 *     await using lighttpd = await startLighttpd();
 *     await using bare = await startLighttpd({ etags: false }); // GET and HEAD without ETag and Last-Modified
 */
import { randomBytes } from "node:crypto";
import type { WebDavServer } from "./connection.ts";
import { inHome } from "./home.ts";
import { missingFor } from "./requirements.ts";
import { webdavServer } from "./webdav.ts";
import type { WebDavOptions } from "./webdav.ts";

export const missing = (): string | undefined => missingFor("lighttpd");

export async function startLighttpd({ etags = true, diskBytes }: WebDavOptions & { readonly etags?: boolean } = {}): Promise<WebDavServer> {
  return inHome("lighttpd", async (home) => {
    const password = randomBytes(12).toString("hex");
    const directory = await home.disk("root", diskBytes);
    home.write("passwd", `user:${password}\n`);
    const conf = home.write(
      "lighttpd.conf",
      `
server.modules = ( "mod_auth", "mod_authn_file", "mod_webdav" )
server.document-root = "${directory}"
server.bind = "127.0.0.1"
server.port = ${home.port}
server.errorlog = "${home.path("log", "error.log")}"
server.upload-dirs = ( "${home.path("tmp")}" )
server.http-parseopts = ( "url-normalize" => "enable", "url-normalize-unreserved" => "enable", "url-normalize-required" => "enable", "url-ctrls-reject" => "disable", "url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable" )
mimetype.assign = ( ".txt" => "text/plain"${etags ? ', "" => "application/octet-stream"' : ""} )
webdav.activate = "enable"
webdav.is-readonly = "disable"
webdav.opts = ( "propfind-depth-infinity" => "enable" )
webdav.sqlite-db-name = "${home.path("run", "webdav.db")}"
auth.backend = "plain"
auth.backend.plain.userfile = "${home.path("passwd")}"
auth.require = ( "" => ( "method" => "basic", "realm" => "dav", "require" => "valid-user" ) )
`,
    );
    const server = await home.start("lighttpd", ["-D", "-f", conf]);
    return webdavServer(home, server, { name: "lighttpd", password, directory });
  });
}

/**
 * Apache mod_dav_fs: the main WebDAV server; `url` with basic, `digestUrl` with digest authentication.
 *
 *     await using apache = await startApache();
 */
import { createHash, randomBytes } from "node:crypto";
import type { WebDavServer } from "./connection.ts";
import { inHome } from "./home.ts";
import type { Home } from "./home.ts";
import { missingFor } from "./requirements.ts";
import { webdavServer } from "./webdav.ts";
import type { WebDavOptions } from "./webdav.ts";

export const missing = (): string | undefined => missingFor("apache");

const modules = "mpm_event authn_core authn_file authz_core authz_user auth_basic auth_digest mime autoindex alias dav dav_fs dav_lock setenvif";

export async function startApache({ diskBytes }: WebDavOptions = {}): Promise<WebDavServer> {
  return inHome("apache", async (home) => {
    const password = randomBytes(12).toString("hex");
    const directory = await home.disk("dav", diskBytes);
    const digestDirectory = home.mkdir("ddav");
    home.mkdir("open");
    home.write("passwd", `user:{SHA}${createHash("sha1").update(password).digest("base64")}\n`);
    home.write("digest", `user:dav:${createHash("md5").update(`user:dav:${password}`).digest("hex")}\n`);
    const conf = home.write("httpd.conf", configuration(home));
    const server = await home.start("apache2", ["-f", conf, "-DFOREGROUND"]);
    return webdavServer(home, server, { name: "apache", password, directory, path: "/dav/", digest: { path: "/ddav/", directory: digestDirectory } });
  });
}

function configuration(home: Home): string {
  return `
ServerRoot ${home.directory}
ServerName 127.0.0.1
Listen 127.0.0.1:${home.port}
PidFile ${home.path("run", "httpd.pid")}
Mutex file:${home.path("run")} default
${modules
  .split(" ")
  .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  .join("\n")}
TypesConfig /etc/mime.types
ErrorLog ${home.path("log", "error.log")}
StartServers 1
ServerLimit 2
ThreadsPerChild 25
MaxRequestWorkers 50
LimitXMLRequestBody 1073741824
LimitRequestBody 0
FileETag MTime Size INode
AllowEncodedSlashes NoDecode
DavLockDB ${home.path("run", "DavLock")}
DocumentRoot ${home.path("open")}
<Directory ${home.directory}>
  Require all granted
</Directory>
Alias /dav ${home.path("dav")}
Alias /ddav ${home.path("ddav")}
<Location /dav>
  Dav On
  DavDepthInfinity On
  AuthType Basic
  AuthName "dav"
  AuthBasicProvider file
  AuthUserFile ${home.path("passwd")}
  Require valid-user
</Location>
<Location /ddav>
  Dav On
  DavDepthInfinity On
  AuthType Digest
  AuthName "dav"
  AuthDigestDomain /ddav
  AuthDigestProvider file
  AuthUserFile ${home.path("digest")}
  Require valid-user
</Location>
`;
}

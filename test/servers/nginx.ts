/**
 * nginx with the dav-ext module: the lax WebDAV server (no preconditions, no dead properties).
 *
 *     await using nginx = await startNginx();
 */
import { createHash, randomBytes } from "node:crypto";
import type { WebDavServer } from "./connection.ts";
import { inHome } from "./home.ts";
import { missingFor } from "./requirements.ts";
import { webdavServer } from "./webdav.ts";
import type { WebDavOptions } from "./webdav.ts";

export const missing = (): string | undefined => missingFor("nginx");

const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] as const;

export async function startNginx({ diskBytes }: WebDavOptions = {}): Promise<WebDavServer> {
  return inHome("nginx", async (home) => {
    const password = randomBytes(12).toString("hex");
    const directory = await home.disk("root", diskBytes);
    home.write("passwd", `user:{SHA}${createHash("sha1").update(password).digest("base64")}\n`);
    const conf = home.write(
      "nginx.conf",
      `
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
daemon off;
worker_processes 2;
pid ${home.path("run", "nginx.pid")};
error_log ${home.path("log", "error.log")};
events { worker_connections 512; }
http {
  access_log off;
  default_type application/octet-stream;
  types { text/plain txt; }
  dav_ext_lock_zone zone=davlock:4m;
${temporary.map((name) => `  ${name}_temp_path ${home.path("tmp", name)};`).join("\n")}
  server {
    listen 127.0.0.1:${home.port};
    location / {
      root ${directory};
      dav_methods PUT DELETE MKCOL COPY MOVE;
      dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
      dav_ext_lock zone=davlock;
      create_full_put_path off;
      dav_access user:rw group:rw;
      client_max_body_size 0;
      auth_basic dav;
      auth_basic_user_file ${home.path("passwd")};
    }
  }
}
`,
    );
    const server = await home.start("nginx", ["-e", home.path("log", "error.log"), "-c", conf]);
    return webdavServer(home, server, { name: "nginx", password, directory });
  });
}

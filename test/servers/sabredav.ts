/**
 * SabreDAV with its extended file system tree on PHP's built-in server: the family of Nextcloud and ownCloud, and the one with quota properties.
 *
 *     await using sabre = await startSabreDav();
 */
import { randomBytes } from "node:crypto";
import type { WebDavServer } from "./connection.ts";
import { inHome } from "./home.ts";
import { missingFor } from "./requirements.ts";
import { webdavServer } from "./webdav.ts";
import type { WebDavOptions } from "./webdav.ts";

export const missing = (): string | undefined => missingFor("sabredav");

/** Each PHP worker remembers for two minutes what a path was: below a directory that was a file before, some then answer 500 and others do not. */
const WITHOUT_MEMORY = "realpath_cache_size=0";

export async function startSabreDav({ diskBytes }: WebDavOptions = {}): Promise<WebDavServer> {
  return inHome("sabredav", async (home) => {
    const password = randomBytes(12).toString("hex");
    const directory = await home.disk("root", diskBytes);
    home.write("account.json", JSON.stringify({ user: password }));
    const script = home.write("server.php", router(directory, home.path("run", "locks.sqlite"), home.path("account.json")));
    const settings = ["memory_limit=512M", "display_errors=0", "log_errors=1", WITHOUT_MEMORY].flatMap((one) => ["-d", one]);
    const server = await home.start("php", [...settings, "-S", `127.0.0.1:${home.port}`, "-t", home.path("tmp"), script], { PHP_CLI_SERVER_WORKERS: "4" });
    return webdavServer(home, server, { name: "sabredav", password, directory });
  });
}

/** PHP text; the paths hold nothing but letters, digits, `-`, `.` and `/`, and are checked to. */
function router(root: string, locks: string, account: string): string {
  for (const path of [root, locks, account]) if (!/^[\w\-./]+$/.test(path)) throw new Error(`sabredav: a path that PHP would misread: ${path}`);
  return `<?php
error_reporting(E_ALL & ~E_DEPRECATED);
set_include_path('/usr/share/php');
require 'Sabre/autoload.php';

class Accounts extends Sabre\\DAV\\Auth\\Backend\\AbstractBasic {
  protected function validateUserPass($username, $password) {
    $known = json_decode(file_get_contents('${account}'), true);
    return isset($known[$username]) && hash_equals($known[$username], (string) $password);
  }
}

$database = new PDO('sqlite:${locks}');
$database->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$database->setAttribute(PDO::ATTR_TIMEOUT, 10);
$database->exec('CREATE TABLE IF NOT EXISTS locks (id INTEGER PRIMARY KEY, owner TEXT, timeout INTEGER, created INTEGER, token TEXT, scope INTEGER, depth INTEGER, uri TEXT)');

$server = new Sabre\\DAV\\Server(new Sabre\\DAV\\FSExt\\Directory('${root}'));
$server->setBaseUri('/');
$server->addPlugin(new Sabre\\DAV\\Auth\\Plugin(new Accounts(), 'dav'));
$server->addPlugin(new Sabre\\DAV\\Locks\\Plugin(new Sabre\\DAV\\Locks\\Backend\\PDO($database)));
$server->exec();
`;
}

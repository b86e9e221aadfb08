/**
 * The emulator under Google's own names: a CONNECT proxy leads every connection to it, with certificates of a throw-away authority. For programs that
 * cannot be told another address (reference/servers.md, section 5).
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { startDrive } from "./index.ts";
import type { DriveOptions, DriveServer } from "./index.ts";

const HOSTS = ["www.googleapis.com", "oauth2.googleapis.com", "accounts.google.com"];
const run = promisify(execFile);

export interface GoogleServer extends AsyncDisposable {
  readonly drive: DriveServer;
  /** For HTTPS_PROXY. */
  readonly proxy: string;
  /** The file with the authority's certificate. */
  readonly ca: string;
}

/** `directory`: an empty one for keys and certificates. */
export async function startGoogle(directory: string, options: DriveOptions = {}): Promise<GoogleServer> {
  const at = (name: string): string => join(directory, name);
  const ecdsa = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", "-x509", ...ecdsa, "-days", "2", "-subj", "/CN=throw-away", "-keyout", at("ca.key"), "-out", at("ca.pem")]);
  await run("openssl", ["req", "-new", ...ecdsa, "-subj", `/CN=${HOSTS[0]}`, "-keyout", at("leaf.key"), "-out", at("leaf.csr")]);
  await writeFile(at("san"), `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(",")}\n`);
  await run("openssl", [
    "x509",
    "-req",
    "-in",
    at("leaf.csr"),
    "-CA",
    at("ca.pem"),
    "-CAkey",
    at("ca.key"),
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    at("san"),
    "-out",
    at("leaf.pem"),
  ]);
  const drive = await startDrive({ ...options, tls: { key: await readFile(at("leaf.key"), "utf8"), cert: await readFile(at("leaf.pem"), "utf8") } });
  const sockets = new Set<Socket>();
  const proxy = http.createServer((_, response) => response.writeHead(405).end());
  proxy.on("connect", (request, client: Socket, head) => {
    const host = request.url?.split(":")[0] ?? "";
    if (!HOSTS.includes(host)) return void client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const upstream = connect(drive.port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {}); // Its "close" follows.
      socket.once("close", () => (sockets.delete(socket), client.destroy(), upstream.destroy()));
    }
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  return {
    drive,
    proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    ca: at("ca.pem"),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => proxy.close(done));
      await drive[Symbol.asyncDispose]();
    },
  };
}

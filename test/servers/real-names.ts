/**
 * An emulator under the real names of its service, for programs that cannot be told another address: a certificate of a throw-away authority for those
 * names, and a CONNECT proxy that leads them to the emulator and nothing to anywhere else (reference/servers.md, section 5).
 *
 *     const { key, cert, ca } = await certificateFor(["api.example.com"], directory);
 *     await using proxy = await leadTo(port, ["api.example.com"]); // HTTPS_PROXY=proxy.url
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  /** The file with the authority's certificate. */
  readonly ca: string;
}

/** `directory`: an empty one; keys and certificates stay in it. */
export async function certificateFor(hosts: readonly string[], directory: string): Promise<Certificate> {
  const openssl = (...args: readonly string[]): Promise<unknown> => run("openssl", args, { cwd: directory });
  await openssl("req", "-x509", ...NEW_KEY, "-days", "2", "-subj", "/CN=throw-away", "-keyout", "ca.key", "-out", "ca.pem");
  await openssl("req", "-new", ...NEW_KEY, "-subj", `/CN=${hosts[0]}`, "-keyout", "leaf.key", "-out", "leaf.csr");
  await writeFile(join(directory, "san"), `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(",")}\n`);
  await openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "leaf.pem");
  const [key = "", cert = ""] = await Promise.all(["leaf.key", "leaf.pem"].map((name) => readFile(join(directory, name), "utf8")));
  return { key, cert, ca: join(directory, "ca.pem") };
}

export interface Leading extends AsyncDisposable {
  /** For HTTPS_PROXY. */
  readonly url: string;
}

/** Port 443 of `hosts` is `port` of this machine. */
export async function leadTo(port: number, hosts: readonly string[]): Promise<Leading> {
  const sockets = new Set<Socket>();
  const proxy = createServer((_, response) => response.writeHead(405).end());
  proxy.on("connect", (request, client: Socket, head) => {
    if (!hosts.some((host) => request.url === `${host}:443`)) return void client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const upstream = connect(port, "127.0.0.1", () => {
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
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => proxy.close(done));
    },
  };
}

/**
 * One emulator in this process, so that its CPU is not the client's: under the real names of its service behind TLS and a CONNECT proxy, which is the one
 * way for all contenders. Started by service.ts: `node emulator.ts dropbox DIRECTORY`, and spoken to over its IPC channel.
 */
import { createServer } from "node:https";
import { startDrive } from "../../test/servers/drive/index.ts";
import { HOSTS as DROPBOX, startDropbox } from "../../test/servers/dropbox/index.ts";
import { driveRemote, dropboxRemote, sugarsyncRemote } from "../../test/servers/rclone-remotes.ts";
import type { Remote } from "../../test/servers/rclone-remotes.ts";
import { certificateFor, leadTo } from "../../test/servers/real-names.ts";
import { HOST, startSugarSync } from "../../test/servers/sugarsync/index.ts";

export type ServiceName = "dropbox" | "drive" | "sugarsync";
export interface Ready {
  readonly proxy: string;
  readonly ca: string;
  readonly remote: Remote;
  /** What the provider of ours and the official package come in with. */
  readonly keys: Readonly<Record<string, string>>;
}
/** Each request since the last question, in order: "POST files/upload". */
export type Asked = readonly string[];

interface Running extends Pick<Ready, "remote" | "keys"> {
  readonly port: number;
  readonly hosts: readonly string[];
  /** What was asked since the last call. */
  asked(): Asked;
}
type Tls = { readonly key: string; readonly cert: string };

const GOOGLE = ["www.googleapis.com", "oauth2.googleapis.com"];
const hostsOf: Readonly<Record<ServiceName, readonly string[]>> = { dropbox: DROPBOX, drive: GOOGLE, sugarsync: [HOST] };

const running: Readonly<Record<ServiceName, (tls: Tls) => Promise<Running>>> = {
  async dropbox(tls) {
    const server = await startDropbox(tls);
    const { accessToken } = server.account("ann");
    const asked = (): Asked => {
      const lines = [...server.routes];
      server.clear();
      return lines;
    };
    return { port: server.securePort, hosts: hostsOf.dropbox, remote: dropboxRemote(accessToken), keys: { accessToken }, asked };
  },
  async drive(tls) {
    const server = await startDrive({ tls });
    const token = server.oauth.issue();
    const asked = (): Asked => server.requests.splice(0).map(({ method, path }) => `${method} ${path.replace(/^.*\/drive\/v3\//, "")}`);
    return { port: server.port, hosts: hostsOf.drive, remote: driveRemote(token), keys: { token }, asked };
  },
  async sugarsync(tls) {
    const server = await startSugarSync({ base: `https://${HOST}`, listen: (listener) => createServer(tls, listener) });
    const account = server.account("ann@example.org");
    const { refreshToken, userId } = account;
    const user = `https://${HOST}/user/${userId}`;
    const asked = (): Asked => {
      const lines = [...server.lines];
      server.clear();
      return lines;
    };
    const { accessKeyId, privateAccessKey } = server.application;
    const remote = sugarsyncRemote({ refreshToken, access: server.access(account), user });
    return { port: Number(new URL(server.url).port), hosts: hostsOf.sugarsync, remote, keys: { accessKeyId, privateAccessKey, refreshToken }, asked };
  },
};

if (process.send !== undefined) {
  const [name, directory] = process.argv.slice(2) as [ServiceName, string];
  const { ca, key, cert } = await certificateFor(hostsOf[name], directory);
  const { port, hosts, remote, keys, asked } = await running[name]({ key, cert });
  const proxy = await leadTo(port, hosts);
  // It ends with whoever started it.
  process.on("disconnect", () => process.exit(0));
  process.on("message", () => process.send?.(asked()));
  process.send({ proxy: proxy.url, ca, remote, keys } satisfies Ready);
}

/** An emulator in a process of its own, and the ways to it: a fetch and rclone, both by the real names of the service, through one proxy and TLS. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ProxyAgent, fetch as undiciFetch } from "undici";
import { scratch } from "../../test/scratch.ts";
import { rcloneOf } from "../../test/servers/rclone-remotes.ts";
import type { Rclone } from "../../test/servers/rclone-remotes.ts";
import type { Asked, Ready, ServiceName } from "./emulator.ts";

export interface Service extends AsyncDisposable {
  readonly fetch: typeof globalThis.fetch;
  readonly rclone: Rclone;
  readonly keys: Ready["keys"];
  /** An empty directory, in memory where the machine has a file system for that. */
  readonly directory: string;
  /** The requests since the last question. */
  asked(): Promise<Asked>;
}

export async function startService(name: ServiceName): Promise<Service> {
  const directory = await mkdtemp(join(scratch(), `bench-${name}-`));
  const child = fork(join(import.meta.dirname, "emulator.ts"), [name, directory], { env: { ...process.env, TMPDIR: directory } });
  const answer = async (): Promise<unknown> => {
    const gone = new AbortController();
    const ended = once(child, "exit", { signal: gone.signal }).then(
      () => Promise.reject(new Error(`the emulator of ${name} ended`)),
      () => undefined,
    );
    const [message] = (await Promise.race([once(child, "message"), ended])) as [unknown];
    gone.abort();
    return message;
  };
  const { proxy, ca, remote, keys } = (await answer()) as Ready;
  const dispatcher = new ProxyAgent({ uri: proxy, requestTls: { ca: await readFile(ca, "utf8") } });
  return {
    fetch: ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher })) as unknown as typeof fetch,
    rclone: rcloneOf({ home: directory, proxy, ca, remote }),
    keys,
    directory,
    async asked() {
      const answered = answer();
      child.send("asked");
      return (await answered) as Asked;
    },
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy();
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

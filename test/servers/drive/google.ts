/** The emulator under Google's own names, for programs that cannot be told another address. */
import { startDrive } from "./index.ts";
import type { DriveOptions, DriveServer } from "./index.ts";
import { certificateFor, leadTo } from "../real-names.ts";

const HOSTS = ["www.googleapis.com", "oauth2.googleapis.com", "accounts.google.com"] as const;

export interface GoogleServer extends AsyncDisposable {
  readonly drive: DriveServer;
  /** For HTTPS_PROXY. */
  readonly proxy: string;
  /** The file with the authority's certificate. */
  readonly ca: string;
}

/** `directory`: an empty one for keys and certificates. */
export async function startGoogle(directory: string, options: DriveOptions = {}): Promise<GoogleServer> {
  const { ca, ...tls } = await certificateFor(HOSTS, directory);
  const drive = await startDrive({ ...options, tls });
  const proxy = await leadTo(drive.port, HOSTS);
  return {
    drive,
    proxy: proxy.url,
    ca,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await drive[Symbol.asyncDispose]();
    },
  };
}

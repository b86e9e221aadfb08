/** How to reach a running server: plain data that goes through JSON to other processes. */

export const s3Names = ["ceph", "swift", "swift-google"] as const;
export const webdavNames = ["apache", "lighttpd", "sabredav", "nginx", "rclone"] as const;
export const serverNames = [...s3Names, ...webdavNames] as const;
export type S3Name = (typeof s3Names)[number];
export type WebDavName = (typeof webdavNames)[number];
export type ServerName = (typeof serverNames)[number];

export interface S3Connection {
  readonly kind: "s3";
  readonly name: S3Name;
  /** `http://127.0.0.1:PORT`; buckets by path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The private directory of the server (configuration, logs). */
  readonly home: string;
}
export interface WebDavConnection {
  readonly kind: "webdav";
  readonly name: WebDavName;
  /** The collection that everything goes under, with a `/` at its end; basic authentication. */
  readonly url: string;
  /** The like of `url` behind digest authentication, over a directory of its own; Apache only. */
  readonly digestUrl?: string;
  readonly username: string;
  readonly password: string;
  /** What `url` shows, as files on this machine. */
  readonly directory: string;
  /** What `digestUrl` shows. */
  readonly digestDirectory?: string;
  /** The private directory of the server (configuration, logs, temporary files). */
  readonly home: string;
}
export type Connection = S3Connection | WebDavConnection;

/** Our own running server. A connection from elsewhere (shared by a test run) can't stop or pause it. */
export interface Control extends AsyncDisposable {
  /** Kills it and removes all its data. */
  stop(): Promise<void>;
  /** A black hole: the server accepts connections and says nothing, until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}
export type S3Server = S3Connection & Control;
export type WebDavServer = WebDavConnection & Control;
export type Server = Connection & Control;

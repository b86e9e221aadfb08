/** What is measured of a service: our provider, and the official package used directly, as its pages show it. */
import type { Store } from "../../src/store/index.ts";
import type { ServiceName } from "./emulator.ts";
import type { Service } from "./service.ts";

/** Paths are absolute, "/bench/dir/file". What it throws ends the set. */
export interface Official {
  /** "dropbox package" */
  readonly name: string;
  stat(path: string): Promise<unknown>;
  /** How many bytes there were. */
  read(path: string): Promise<number>;
  create(path: string, bytes: Buffer): Promise<unknown>;
  /** Where `create` may make a second file of one name: as one who must not looks first. */
  createOnce?(path: string, bytes: Buffer): Promise<unknown>;
  overwrite(path: string, bytes: Buffer): Promise<unknown>;
  list(path: string): Promise<readonly unknown[]>;
  mkdir(path: string): Promise<unknown>;
  move(from: string, to: string): Promise<unknown>;
  copy(from: string, to: string): Promise<unknown>;
  /** A file, or a tree. */
  delete(path: string): Promise<unknown>;
  /** A local file, all of it. */
  upload(file: string, path: string): Promise<unknown>;
  /** As a stream where the package can. How many bytes there were. */
  download(path: string): Promise<number>;
}

export interface Contenders {
  readonly name: ServiceName;
  /** A store that has asked for nothing yet. */
  open(): Store;
  /** Null: the service has no package. */
  readonly official: Official | null;
  /** Requests that sign in; rclone has what they give in its configuration. */
  readonly signIn: RegExp | null;
  /** For rclone: without its own pace where that can be turned off. */
  readonly flags: readonly string[];
}
export type ContendersOf = (service: Service) => Contenders;

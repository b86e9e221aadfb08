/** The calls of node:fs that this provider makes, on native paths, with exact times. No FileHandle: on small files it costs more than the disk. */
import fs from "node:fs";
import { sep } from "node:path";
import { promisify } from "node:util";
import { makeDirectories } from "../../store/index.ts";
import { toDisk } from "./names.ts";
import type { Native } from "./names.ts";

export type Stat = fs.BigIntStats;

const { constants } = fs;
const EXACT = { bigint: true } as const;

const cb = {
  lstat: promisify(fs.lstat),
  stat: promisify(fs.stat),
  fstat: promisify(fs.fstat),
  realpath: promisify(fs.realpath.native) as (path: string | Buffer, encoding: "latin1") => Promise<string>,
  readdir: promisify(fs.readdir),
  open: promisify(fs.open),
  close: promisify(fs.close),
  rename: promisify(fs.rename),
  link: promisify(fs.link),
  unlink: promisify(fs.unlink),
  rmdir: promisify(fs.rmdir),
  mkdir: promisify(fs.mkdir),
  symlink: promisify(fs.symlink),
  futimes: promisify(fs.futimes),
  fsync: promisify(fs.fsync),
  statfs: promisify(fs.statfs),
  read: promisify(fs.read) as (fd: number, buffer: Uint8Array, offset: number, length: number, position: number) => Promise<{ readonly bytesRead: number }>,
  write: promisify(fs.write) as (fd: number, buffer: Uint8Array, offset: number, length: number) => Promise<{ readonly bytesWritten: number }>,
};

/** Opens what stands at the path itself: not what a link points to, where the system can say so, and never waits for the other end of a pipe. */
const READ_ITSELF = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CREATE_ITSELF = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** False on Windows: there, look before opening. */
export const opensOnlyItself: boolean = constants.O_NOFOLLOW !== undefined;

export const disk = {
  lstat: (path: Native): Promise<Stat> => cb.lstat(toDisk(path), EXACT),
  stat: (path: Native): Promise<Stat> => cb.stat(toDisk(path), EXACT),
  fstat: (fd: number): Promise<Stat> => cb.fstat(fd, EXACT),
  realpath: async (path: Native): Promise<Native> => {
    const real = (await cb.realpath(toDisk(path), "latin1")) as Native;
    return sep === "/" ? real : (real.replaceAll(sep, "/") as Native);
  },
  names: (path: Native): Promise<Native[]> => cb.readdir(toDisk(path), "latin1") as Promise<Native[]>,
  openRead: (path: Native): Promise<number> => cb.open(toDisk(path), READ_ITSELF),
  openNew: (path: Native, mode: number): Promise<number> => cb.open(toDisk(path), CREATE_ITSELF, mode),
  openDirectory: (path: Native): Promise<number> => cb.open(toDisk(path), constants.O_RDONLY),
  close: (fd: number): Promise<void> => cb.close(fd),
  read: (fd: number, buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }> =>
    cb.read(fd, buffer, offset, length, position),
  /** As text, because Node takes a negative number (a time before 1970) for a mistake and sets the present instead. */
  futimes: (fd: number, seconds: number): Promise<void> => cb.futimes(fd, String(seconds), String(seconds)),
  fsync: (fd: number): Promise<void> => cb.fsync(fd),
  rename: (from: Native, to: Native): Promise<void> => cb.rename(toDisk(from), toDisk(to)),
  link: (from: Native, to: Native): Promise<void> => cb.link(toDisk(from), toDisk(to)),
  symlink: (target: Native, path: Native): Promise<void> => cb.symlink(toDisk(target), toDisk(path)),
  unlink: (path: Native): Promise<void> => cb.unlink(toDisk(path)),
  rmdir: (path: Native): Promise<void> => cb.rmdir(toDisk(path)),
  async mkdir(path: Native, mode: number): Promise<void> {
    await cb.mkdir(toDisk(path), { mode });
  },
  async mkdirs(path: Native, mode: number): Promise<void> {
    await makeDirectories(path, mode, (each) => toDisk(each as Native));
  },
  statfs: (path: Native): Promise<fs.BigIntStatsFs> => cb.statfs(toDisk(path), EXACT),
  /** All of it: the system may take less at once. */
  async write(fd: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) at += (await cb.write(fd, bytes, at, bytes.byteLength - at)).bytesWritten;
  },
};

/** Below a directory. */
export function child(dir: Native, name: Native): Native {
  return (dir.endsWith("/") ? dir + name : `${dir}/${name}`) as Native;
}

export function parentDirectory(path: Native): Native {
  return (path.slice(0, Math.max(1, path.lastIndexOf("/"))) || "/") as Native;
}

/** "ENOENT" and so on; undefined for what is no error of the system. */
export function errnoOf(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null ? (error as { readonly code?: unknown }).code : undefined;
  return typeof code === "string" && "errno" in (error as object) ? code : undefined;
}

/** Undefined instead of an error of one of these kinds. */
export async function unless<T>(work: Promise<T>, ...codes: readonly string[]): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codes.includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

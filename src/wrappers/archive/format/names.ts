/** Names of archives: `<time>-<writer>-<count>.<blocks>.tar`, lower case and plain, so that no service folds or escapes them. */
import { MAX_TIME_MS } from "./stamp.ts";

export interface ArchiveName {
  /** `<time>-<writer>-<count>`: what manifests call this archive. */
  readonly id: string;
  readonly writer: string;
  readonly count: number;
  /** Blocks of 512 bytes at the end of the object that hold manifest and footer. */
  readonly blocks: number;
  /** A bundle of manifests: a cache that no reader needs. */
  readonly tails: boolean;
}

const PATTERN = /^([0-9a-z]{9})-([a-z2-7]{10})-([1-9a-z][0-9a-z]{0,8})\.([1-9][0-9]{0,8})\.(tar|tails\.tar)$/;
const ID = /^[0-9a-z]{9}-([a-z2-7]{10})-[1-9a-z][0-9a-z]{0,8}$/;
const WRITER = /^[a-z2-7]{10}$/;

/** Undefined: not a name of ours, and none of our business. */
export function parseName(name: string): ArchiveName | undefined {
  const match = PATTERN.exec(name);
  if (match === null) return undefined;
  const [, time, writer, count, blocks, end] = match as unknown as [string, string, string, string, string, string];
  return { id: `${time}-${writer}-${count}`, writer, count: parseInt(count, 36), blocks: Number(blocks), tails: end !== "tar" };
}

/** `nowMs` is for sorting and for people: no rule reads it. */
export function archiveId(nowMs: number, writer: string, count: number): string {
  const time = Math.min(Math.max(0, Math.floor(nowMs)), MAX_TIME_MS);
  return `${time.toString(36).padStart(9, "0").slice(-9)}-${writer}-${count.toString(36)}`;
}

export function objectName(id: string, blocks: number): string {
  return `${id}.${blocks}.tar`;
}

export function isId(text: unknown): text is string {
  return typeof text === "string" && ID.test(text);
}

export function isWriter(text: unknown): text is string {
  return typeof text === "string" && WRITER.test(text);
}

/** The writer of an id that `isId` holds for. */
export function writerOf(id: string): string {
  return id.slice(10, 20);
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

/** 50 random bits. */
export function drawWriter(random: () => number): string {
  let id = "";
  for (let i = 0; i < 10; i++) id += LETTERS[Math.floor(random() * 32) % 32];
  return id;
}

/** What the commands, the disk and SQLite say, in the words of the store. */
import { StoreError } from "../../store/index.ts";
import type { ErrorCode, ErrorDetails } from "../../store/index.ts";
import type { Ended } from "./process.ts";

/** What a command was asked to do. "download once": without retries, where plowdown tells a network that fails inside a module by 1. */
export type Task = "upload" | "download" | "download once" | "delete" | "probe" | "list";

type Meaning = readonly [code: ErrorCode, reason: string, details?: ErrorDetails];

/** Exit codes of all commands, as they were measured; seeds.md 6.2 has what each of them was seen for. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: ["unknown", "the host answered what its module does not understand"],
  2: ["config", "no module for this host"],
  3: ["unavailable", "the network or the host failed"],
  4: ["unauthenticated", "the host refuses the credentials"],
  5: ["timeout", "the host wanted a longer wait than waitMs"],
  6: ["unavailable", "the host failed again and again"],
  7: ["unsupported", "the host asks for a captcha"],
  8: ["config", "the command lacks something on this machine: a tool, disk space, a right"],
  10: ["rate-limited", "the host is busy", { retryAfterMs: 60_000 }],
  11: ["permission-denied", "the host wants a password or a deletion code"],
  12: ["permission-denied", "the host does not allow it"],
  13: ["unknown", "the host says that there is no such file"],
  14: ["too-large", "the file is larger than the host takes"],
  15: ["config", "the command does not know its options: another version of plowshare?"],
  16: ["unsupported", "the host fetches the file later, so nobody knows whether it will have it"],
  17: ["unauthenticated", "the session at the host has ended", { transient: true }],
  126: ["config", "the command may not be run"],
  127: ["config", "the command lacks a program that it needs"],
};

const DOWNLOAD: Readonly<Record<number, Meaning>> = {
  13: ["corrupt", "the host has lost the file"],
  14: ["unknown", "the host refuses the download as too large"],
};

/** Where a task gives a code another meaning. */
const OTHERWISE: Readonly<Partial<Record<Task, Readonly<Record<number, Meaning>>>>> = {
  download: DOWNLOAD,
  "download once": { ...DOWNLOAD, 1: ["unavailable", "the network or the host failed, or its module does not understand what it answered"] },
  delete: { 2: ["unsupported", "the module of this host does not delete"] },
  probe: { 2: ["unsupported", "the module of this host does not probe"], 13: ["corrupt", "the host has lost the file"] },
  list: { 2: ["unsupported", "the module of this host does not list"], 13: ["not-found", "the folder is missing or empty"] },
};

/** 100 + n: one of several items failed with n. */
export function exitCodeOf(code: number): number {
  return code > 100 && code < 126 ? code - 100 : code;
}

/** A run that did not succeed, as an error. Nothing is ever applied by it: a path appears only with its row in the index. */
export function failureOf(task: Task, ended: Ended, hide: (text: string) => string): StoreError {
  const cause = new Error(hide(`exit ${ended.code ?? "by a signal"}${ended.stderr.trim() === "" ? "" : `: ${plain(ended.stderr)}`}`));
  const details = { cause, applied: false } as const;
  if (ended.stopped === "time") return new StoreError("timeout", "the command did not end in its time and was killed", details);
  if (ended.stopped === "output") return new StoreError("unknown", "the command printed without an end and was killed", details);
  if (ended.stopped === "too-much")
    return new StoreError("integrity", "the download grew past the size of the file and was stopped", { ...details, transient: true });
  if (ended.code === null) return new StoreError("unavailable", "the command was killed by somebody", details);
  const code = exitCodeOf(ended.code);
  const [error, reason, more] = OTHERWISE[task]?.[code] ?? MEANINGS[code] ?? ["unknown", `the command ended with ${ended.code}, which nobody knows`];
  return new StoreError(error, reason, { ...details, ...more });
}

/** Of several failures the one that leaves most hope: what may pass by itself, then what is no loss, then damage, then loss. */
export function mostHopeful(errors: readonly StoreError[]): StoreError {
  const rank = ({ code, transient }: StoreError): number => (code === "config" ? 2 : code === "corrupt" ? 4 : code === "integrity" ? 3 : transient ? 0 : 1);
  const [first] = [...errors].sort((a, b) => rank(a) - rank(b));
  return first ?? new StoreError("corrupt", "no host has this file any more", { applied: false });
}

/** Without colours and control characters. */
function plain(text: string): string {
  return text
    .replace(/\x1b\[[0-9;]*[A-Za-z]/g, "")
    .replace(/[\0-\x1f\x7f]+/g, " ")
    .trim()
    .slice(-500);
}

/** Removes what nobody should read: passwords, and links, which are all that a file host asks for. */
export function hider(secrets: readonly string[]): (text: string) => string {
  const all = [...secrets].filter((one) => one.length > 0).sort((a, b) => b.length - a.length);
  return (text) => {
    let shown = text;
    for (const secret of all) shown = shown.replaceAll(secret, "***");
    return shown.replace(/https?:\/\/\S+/gi, "<link>");
  };
}

/** Errors of the local disk and of SQLite; undefined: not ours. */
export function translate(error: unknown): StoreError | undefined {
  if (StoreError.is(error)) return error;
  const said = (error as { readonly code?: unknown } | undefined)?.code;
  const code = typeof said === "string" ? said : "";
  const details = { cause: error, applied: false } as const;
  if (code === "ENOSPC" || code === "EDQUOT" || code.startsWith("SQLITE_FULL"))
    return new StoreError("no-space", "the disk of the index directory is full", details);
  if (code.startsWith("SQLITE_CORRUPT") || code.startsWith("SQLITE_NOTADB"))
    return new StoreError("corrupt", "the index is damaged; nothing was changed or deleted", { ...details, transient: false });
  if (code.startsWith("SQLITE_") || code === "EIO" || code === "EROFS") return new StoreError("unavailable", "the disk of the index directory fails", details);
  if (code === "EMFILE" || code === "ENFILE") return new StoreError("unavailable", "too many files are open", details);
  if (code === "EACCES" || code === "EPERM" || code === "ENOENT" || code === "ENOTDIR")
    return new StoreError("config", `a file or directory of this machine cannot be used (${code})`, details);
  return undefined;
}

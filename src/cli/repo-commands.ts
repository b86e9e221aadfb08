/** What `stratus repo` can do: each command as data, with its result for programs and its text for people. */
import type { DateGranularity, FileFailure, FileInfo, FileState, Finding, Repository } from "../repository/index.ts";
import { RepositoryError } from "../repository/index.ts";
import { columns } from "./columns.ts";
import type { Command, CommandResult } from "./commands.ts";
import { repoBackupCommands } from "./repo-backups.ts";
import { UsageError } from "./usage.ts";

export interface RepoArguments {
  readonly help?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly move?: boolean | undefined;
  readonly publish?: boolean | undefined;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly path?: boolean | undefined;
  readonly remove?: boolean | undefined;
  readonly date?: string | undefined;
  readonly granularity?: string | undefined;
  readonly under?: string | undefined;
  readonly state?: string | undefined;
  readonly limit?: string | undefined;
  readonly any?: readonly string[] | undefined;
  readonly all?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly unpublished?: boolean | undefined;
  readonly deep?: boolean | undefined;
  readonly repair?: boolean | undefined;
  readonly grace?: string | undefined;
  readonly keep?: string | undefined;
  readonly name?: string | undefined;
}
export type RepoResult = CommandResult;
export type RepoCommand = Command<Repository, RepoArguments>;

const none = { least: 0, most: 0, options: [] } as const;
const some = { least: 1, most: Infinity, options: [] } as const;

export const repoCommands: Readonly<Record<string, RepoCommand>> = {
  create: {
    ...none,
    usage: "create <module>",
    about: "make a repository in an empty catalogue",
    run: async (repo) => ({ result: await repo.status(), text: "created", good: true }),
  },
  add: {
    usage: "add <module> <path> <local file> [--move] [--bucket <name>] [--key <key>] [--tag <tag>]... [--publish]",
    about: "add a local file as a new version of a path",
    least: 2,
    most: 2,
    options: ["move", "bucket", "key", "tag", "publish"],
    run: async (repo, [path = "", source = ""], { move, bucket, key, tag = [], publish = false }) => {
      const id = await repo.transaction(async (t) => {
        const added = await t.addLocalFile(path, source, { move, bucket, key });
        if (tag.length > 0) t.tagFile(added, ...tag);
        if (publish) await t.publish(added);
        return added;
      });
      return shown([await repo.info(id)]);
    },
  },
  tag: {
    usage: "tag <module> <file> [<tag>...] [--path] [--remove] [--date <ISO date> [--granularity hour|day|week|month]]",
    about: "tag a file, or with --path all versions of a path",
    least: 1,
    most: Infinity,
    options: ["path", "remove", "date", "granularity"],
    run: async (repo, [file = "", ...tags], { path = false, remove = false, date, granularity = "hour" }) => {
      if (path) {
        if (date !== undefined) throw new UsageError("--date is for a file");
        await (remove ? repo.untagPath(file, ...tags) : repo.tagPath(file, ...tags));
        return { result: { path: file, tags }, text: `${file}  ${tags.join(" ")}`, good: true };
      }
      const { id } = await one(repo, file, false);
      if (date !== undefined && remove) throw new UsageError("name the tags to be removed");
      if (date !== undefined) await repo.tagDate(id, new Date(date), granularity as DateGranularity);
      if (tags.length > 0) await (remove ? repo.untagFile(id, ...tags) : repo.tagFile(id, ...tags));
      const all = await repo.tags(id);
      return { result: { id, tags: all }, text: `${id}  ${all.join(" ")}`, good: true };
    },
  },
  upload: {
    ...some,
    usage: "upload <module> <file>...",
    about: "send files to the store",
    run: (repo, files) => each(repo, files, true, (id) => repo.upload(id)),
  },
  publish: {
    ...some,
    usage: "publish <module> <file>...",
    about: "send them and make them current",
    run: (repo, files) => each(repo, files, true, (id) => repo.publish(id)),
  },
  expire: { ...some, usage: "expire <module> <file>...", about: "take them back", run: (repo, files) => each(repo, files, false, (id) => repo.expire(id)) },
  purge: {
    ...some,
    usage: "purge <module> <id>...",
    about: "delete unpublished or expired ones for good",
    run: async (repo, ids) => {
      for (const id of ids) if (!/^\d{1,15}$/.test(id)) throw new UsageError("purge takes ids: a path may have several versions");
      const result: { readonly id: number; readonly deleted: boolean; readonly failure: string | null }[] = [];
      for (const id of ids.map(Number)) {
        const { deleted, failure } = await repo.purge(id);
        result.push({ id, deleted, failure: failure?.code ?? null });
      }
      const text = result.map(
        ({ id, deleted, failure }) => `${id}  purged, its object ${deleted ? "is gone" : failure === null ? "waits" : `is still there: ${failure}`}`,
      );
      return { result, text: text.join("\n"), good: result.every(({ failure }) => failure === null) };
    },
  },
  list: {
    ...none,
    usage: "list <module> [--under <directory>] [--state <state>] [--bucket <name>] [--limit <n>]",
    about: "files, all versions",
    options: ["under", "state", "bucket", "limit"],
    run: async (repo, _, { under, state, bucket, limit }) =>
      shown(await repo.find({ under, state: state as FileState | undefined, bucket, limit: limit === undefined ? undefined : number("limit", limit) })),
  },
  find: {
    ...none,
    usage: "find <module> [--any <tag>]... [--all <tag>]... [--exclude <tag>]... [--unpublished]",
    about: "files by tags: current versions, with --unpublished all",
    options: ["any", "all", "exclude", "unpublished"],
    run: async (repo, _, { any, all, exclude, unpublished = false }) => shown(await repo.findTagged({ any, all, exclude, published: !unpublished })),
  },
  get: {
    usage: "get <module> <file> <target>",
    about: "the stored bytes, their hash checked",
    least: 2,
    most: 2,
    options: [],
    run: async (repo, [file = "", target = ""]) => {
      const found = await one(repo, file, false);
      await repo.download(found, target);
      return { result: { ...found, target }, text: target, good: true };
    },
  },
  verify: {
    ...none,
    usage: "verify <module> [--deep] [--repair]",
    about: "ask the store for every object, with --deep for all bytes",
    options: ["deep", "repair"],
    run: async (repo, _, { deep, repair = false }, onProgress) => {
      const found = await repo.verify({ deep, onProgress });
      const repaired = repair ? await repo.repair({ onProgress }) : null;
      const unknown = found.unknown.map(({ error, ...finding }) => ({ ...finding, code: error.code }));
      const line = (what: string, { file, path, copies }: Finding): string =>
        `${what} ${file} ${path}: ${copies.length === 0 ? "no copies" : `copies on ${copies.join(", ")}`}`;
      const lines = [
        `${found.objects} objects: ${found.good} good, ${found.missing.length} missing, ${found.wrong.length} wrong, ${unknown.length} unknown`,
        ...found.missing.map((finding) => line("missing", finding)),
        ...found.wrong.map((finding) => line("wrong", finding)),
        ...unknown.map((finding) => line(finding.code, finding)),
        ...found.unsent.map((id) => `not sent yet ${id}`),
        ...(repaired === null ? [] : [`${repaired.repaired.length} repaired, ${repaired.elsewhere.length} not on this host`, ...failed(repaired.failures)]),
      ];
      const bad = found.missing.length + found.wrong.length - (repaired?.repaired.length ?? 0) + unknown.length;
      const plain = repaired === null ? null : { ...repaired, failures: coded(repaired.failures) };
      return { result: { ...found, unknown, repaired: plain }, text: lines.join("\n"), good: bad <= 0 };
    },
  },
  gc: {
    ...none,
    usage: "gc <module> [--grace <milliseconds>]",
    about: "look after this host and the database",
    options: ["grace"],
    run: async (repo, _, { grace }, onProgress) => {
      const host = await repo.maintainHost();
      const database = await repo.maintainDatabase({ graceMs: grace === undefined ? undefined : number("grace", grace), onProgress });
      const objects = database.failures.map(({ bucket, path, error }) => ({ bucket, path, code: error.code }));
      const lines = [
        `host      ${host.purged.length} stale purged, ${host.uploaded.length} sent, ${host.unlinked.length + host.evicted.length} local copies let go, ${host.overLimitBytes} bytes over the limit`,
        `database  ${database.expired.length} superseded expired, ${database.marked} marked, ${database.collected.length} collected, ${database.deleted} objects deleted, ${database.waiting} wait for backups`,
        ...failed(host.failures),
        ...objects.map(({ bucket, path, code }) => `not deleted: ${bucket} ${path} (${code})`),
      ];
      const result = { host: { ...host, failures: coded(host.failures) }, database: { ...database, failures: objects } };
      return { result, text: lines.join("\n"), good: host.failures.length + objects.length === 0 };
    },
  },
  ...repoBackupCommands,
  status: {
    ...none,
    usage: "status <module>",
    about: "files by state, objects, backups, hosts",
    run: async (repo) => {
      const status = await repo.status();
      const { files, objects, hosts, unsent, backups, backupsBeforeDelete } = status;
      const lines = [
        ...columns([["state", "files", "bytes"], ...Object.entries(files).map(([state, { files: n, bytes }]) => [state, n, bytes])]),
        `objects  ${objects.stored} stored, ${objects.sending} being sent, ${objects.removing} to be deleted, ${objects.bad} missing or wrong`,
        `backups  ${backups}, ${backupsBeforeDelete} before anything is deleted`,
        ...(unsent === 0 ? [] : [`unsent   ${unsent} published files`]),
        ...columns([
          ["host", "active", "copies", "bytes", "limit"],
          ...hosts.map((host) => [host.name, host.active ? "yes" : "no", host.copies, host.bytes, host.cacheLimitBytes ?? "-"]),
        ]),
        ...repo.opened.missing.map((id) => `missing on this disk: ${id}`),
        ...repo.opened.orphans.map((name) => `without a row: ${name}`),
      ];
      return { result: { ...status, opened: repo.opened }, text: lines.join("\n"), good: objects.bad === 0 && repo.opened.missing.length === 0 };
    },
  },
};

/** An id, or a path: its current version, or with `last` the one that was added last. */
async function one(repo: Repository, file: string, last: boolean): Promise<FileInfo> {
  if (/^\d{1,15}$/.test(file)) return await repo.info(Number(file));
  const found = last ? (await repo.versions(file)).toSorted((a, b) => b.id - a.id)[0] : await repo.get(file);
  if (found === undefined || found === null)
    throw new RepositoryError("unknown-file", last ? "there is no version of this path" : "there is no published version of this path");
  return found;
}

async function each(repo: Repository, files: readonly string[], last: boolean, work: (id: number) => Promise<void>): Promise<RepoResult> {
  const done: FileInfo[] = [];
  for (const file of files) {
    const { id } = await one(repo, file, last);
    await work(id);
    done.push(await repo.info(id));
  }
  return shown(done);
}

function shown(files: readonly FileInfo[]): RepoResult {
  const rows = files.map(({ id, state, version, size, bucket, path }) => [id, state, version ?? "-", size ?? "-", bucket, path]);
  return { result: files, text: files.length === 0 ? "" : columns([["id", "state", "version", "bytes", "bucket", "path"], ...rows]).join("\n"), good: true };
}

const coded = (failures: readonly FileFailure[]): readonly { readonly file: number; readonly code: string }[] =>
  failures.map(({ file, error }) => ({ file, code: error.code }));
const failed = (failures: readonly FileFailure[]): string[] => failures.map(({ file, error }) => `failed ${file}: ${error.message} (${error.code})`);

function number(option: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${option} is a whole number`);
  return Number(text);
}

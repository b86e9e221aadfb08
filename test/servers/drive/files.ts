/** files.create get update delete list copy generateIds export, revisions, about, changes, drives: what each takes, and says. */
import { contentOf } from "./content.ts";
import type { Content } from "./content.ts";
import { Refusal, badRequest, forbidden, invalid, notFound } from "./errors.ts";
import { parseQuery } from "./query.ts";
import { checkType, merged, parentOf, show, written } from "./resource.ts";
import type { Body } from "./resource.ts";
import { FOLDER, SHORTCUT, isGoogle } from "./state.ts";
import type { File, State } from "./state.ts";

export type Params = ReadonlyMap<string, string>;
const flag = (params: Params, name: string): boolean => params.get(name) === "true";
export const allDrives = (params: Params): boolean => flag(params, "supportsAllDrives") || flag(params, "supportsTeamDrives");

/** A create that has been checked and waits for its bytes: an upload session. */
export interface Planned {
  readonly id: string | undefined;
  commit(content: Content | undefined, type: string | undefined): File;
}

export function planCreate(state: State, params: Params, body: Body): Planned {
  const given = written(body, "create");
  if (given.id !== undefined) {
    if (state.files.has(given.id)) throw inUse();
    if (!state.generated.has(given.id)) throw invalid("file.id", "The provided file ID is not usable.");
  }
  const parent = parentOf(state, given.parents?.[0] ?? "root", allDrives(params));
  if (given.mimeType !== undefined) checkType(given.mimeType);
  let shortcutDetails: File["shortcutDetails"];
  if (given.mimeType === SHORTCUT) {
    if (given.shortcutDetails === undefined) throw badRequest("A shortcut needs a target.");
    const target = state.get(given.shortcutDetails.targetId, allDrives(params));
    shortcutDetails = { targetId: target.id, targetMimeType: target.mimeType };
  }
  return {
    id: given.id,
    commit(content, type) {
      const id = given.id ?? state.newId();
      if (state.files.has(id)) throw inUse();
      // The parent may have gone while the bytes came.
      const there = parentOf(state, parent.id, true);
      const mimeType = given.mimeType ?? type ?? "application/octet-stream";
      const bytes = isGoogle(mimeType) ? undefined : (content ?? contentOf(new Uint8Array(0)));
      if (there.driveId === undefined) state.reserve(bytes?.size ?? 0);
      const now = state.options.now();
      return state.put({
        id,
        name: given.name ?? "Untitled",
        mimeType,
        parents: [there.id],
        driveId: there.driveId,
        explicitlyTrashed: false,
        createdMs: given.createdMs ?? now,
        modifiedMs: given.modifiedMs ?? now,
        content: bytes,
        headRevisionId: bytes === undefined ? undefined : state.newRevision(id, bytes),
        appProperties: merged({}, given.appProperties),
        properties: merged({}, given.properties),
        description: given.description,
        shortcutDetails,
      });
    },
  };
}

function inUse(): Refusal {
  return new Refusal(409, "fileIdInUse", "A file already exists with the provided ID.", { parameter: "file.id" });
}

export function planUpdate(state: State, params: Params, id: string, body: Body): Planned {
  const given = written(body, "update");
  const before = state.get(id, allDrives(params));
  if (given.mimeType !== undefined && given.mimeType !== before.mimeType) {
    checkType(given.mimeType);
    if (isGoogle(given.mimeType) || isGoogle(before.mimeType)) throw invalid("mimeType", "The MIME type cannot be changed to this.");
  }
  place(state, before, params);
  return {
    id: before.id,
    commit(content, type) {
      const now = state.options.now();
      const old = state.get(before.id);
      if (content !== undefined && isGoogle(old.mimeType)) throw forbidden("fileNotDownloadable", "The contents of this file cannot be replaced.");
      if (content !== undefined && old.driveId === undefined) state.reserve(content.size - (old.content?.size ?? 0));
      const { parents, driveId } = place(state, old, params);
      const touched = content !== undefined || given.name !== undefined || given.description !== undefined;
      return state.put({
        ...old,
        name: given.name ?? old.name,
        mimeType: given.mimeType ?? (content === undefined ? old.mimeType : (type ?? old.mimeType)),
        parents,
        driveId,
        explicitlyTrashed: given.explicitlyTrashed ?? old.explicitlyTrashed,
        // A new name is a change of the file, and of its time, unless the caller says the time.
        modifiedMs: given.modifiedMs ?? (touched ? now : old.modifiedMs),
        content: content ?? old.content,
        headRevisionId: content === undefined ? old.headRevisionId : state.newRevision(old.id, content),
        appProperties: merged(old.appProperties, given.appProperties),
        properties: merged(old.properties, given.properties),
        description: given.description ?? old.description,
      });
    },
  };
}

/** Where the file is after `addParents` and `removeParents`. */
function place(state: State, file: File, params: Params): Pick<File, "parents" | "driveId"> {
  const list = (name: string): string[] => (params.get(name) ?? "").split(",").filter((one) => one !== "");
  const remove = new Set(list("removeParents").map((id) => (id === "root" ? state.rootId : id)));
  const add = list("addParents").map((id) => parentOf(state, id, allDrives(params)));
  const left = file.parents.filter((id) => !remove.has(id));
  // Taking away the last parent puts nothing in its place: the file would be nowhere.
  if (add.length === 0 && remove.size > 0 && left.length === 0) throw forbidden("cannotRemoveLastParent", "A file must have a parent.");
  const all = new Set([...left, ...add.map(({ id }) => id)]);
  if (all.size > 1) throw forbidden("cannotAddParent", "Increasing the number of parents is not allowed");
  const parent = add[0];
  if (parent === undefined) return { parents: file.parents, driveId: file.driveId };
  if (file.parents.length === 0) throw forbidden("insufficientFilePermissions", "The root cannot be moved.");
  if (state.isBelow(parent.id, file.id)) throw forbidden("cannotMoveToDescendant", "A folder cannot be moved into itself.");
  return { parents: [parent.id], driveId: parent.driveId };
}

export function copy(state: State, params: Params, id: string, body: Body): File {
  const source = state.get(id, allDrives(params));
  if (source.mimeType === FOLDER) throw forbidden("cannotCopyFile", "This file cannot be copied by the user.");
  const given = written(body, "copy");
  if (given.id !== undefined && state.files.has(given.id)) throw inUse();
  if (given.id !== undefined && !state.generated.has(given.id)) throw invalid("file.id", "The provided file ID is not usable.");
  const parent = parentOf(state, given.parents?.[0] ?? source.parents[0] ?? "root", allDrives(params));
  const now = state.options.now();
  const made = given.id ?? state.newId();
  if (parent.driveId === undefined) state.reserve(source.content?.size ?? 0);
  return state.put({
    ...source,
    id: made,
    name: given.name ?? `Copy of ${source.name}`,
    mimeType: given.mimeType ?? source.mimeType,
    parents: [parent.id],
    driveId: parent.driveId,
    explicitlyTrashed: false,
    createdMs: now,
    modifiedMs: given.modifiedMs ?? now,
    headRevisionId: source.content === undefined ? undefined : state.newRevision(made, source.content),
    appProperties: merged(source.appProperties, given.appProperties),
    properties: merged(source.properties, given.properties),
  });
}

export function remove(state: State, params: Params, id: string): void {
  const file = state.get(id, allDrives(params));
  if (file.parents.length === 0) throw forbidden("insufficientFilePermissions", "The user does not have sufficient permissions for this file.");
  state.remove(file.id);
}

const ORDERS: Readonly<Record<string, (a: File, b: File) => number>> = {
  folder: (a, b) => Number(b.mimeType === FOLDER) - Number(a.mimeType === FOLDER),
  name: (a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()),
  name_natural: (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
  modifiedTime: (a, b) => a.modifiedMs - b.modifiedMs,
  createdTime: (a, b) => a.createdMs - b.createdMs,
  quotaBytesUsed: (a, b) => (a.content?.size ?? 0) - (b.content?.size ?? 0),
};
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function ordered(files: File[], orderBy: string | undefined): File[] {
  // Without an order Drive gives no promise: the last change first, so that nobody relies on names.
  if (orderBy === undefined) return files.sort((a, b) => b.version - a.version);
  const keys = orderBy.split(",").map((key) => {
    const [name = "", desc] = key.trim().split(/\s+/);
    const order = ORDERS[name];
    if (order === undefined || (desc !== undefined && desc !== "desc")) throw invalid("orderBy");
    return desc === undefined ? order : (a: File, b: File) => order(b, a);
  });
  return files.sort((a, b) => keys.map((order) => order(a, b)).find((found) => found !== 0) ?? compare(a.id, b.id));
}

export function list(state: State, params: Params): Record<string, unknown> {
  const size = Number(params.get("pageSize") ?? 100);
  if (!Number.isInteger(size) || size < 1 || size > 1000) throw invalid("pageSize", "Invalid value. Values must be within the range: [1, 1000]");
  const drive = params.get("driveId") ?? params.get("teamDriveId");
  const corpora = params.get("corpora");
  const everywhere = flag(params, "includeItemsFromAllDrives") || flag(params, "includeTeamDriveItems");
  if (everywhere && !allDrives(params)) throw forbidden("teamDrivesParentLimit", "supportsAllDrives must be true when includeItemsFromAllDrives is.");
  if ((corpora === "drive") !== (drive !== undefined) && corpora !== "teamDrive")
    throw new Refusal(400, "teamDriveIdRequired", "The driveId parameter must be specified if and only if corpora is set to drive.", { parameter: "driveId" });
  if (drive !== undefined && !everywhere)
    throw new Refusal(403, "teamDrivesFolderSharingNotSupported", "includeItemsFromAllDrives must be true when driveId is given.", { parameter: "driveId" });
  if (drive !== undefined && !state.drives.has(drive)) throw notFound(drive);
  const matches = parseQuery(params.get("q") ?? "trashed = false or trashed = true", state.rootId);
  const found = ordered(
    state.seenIn(matches.parent).filter((file) => {
      if (file.parents.length === 0) return false;
      if (drive !== undefined && file.driveId !== drive) return false;
      if (file.driveId !== undefined && !everywhere) return false;
      // Whether it lies in the trash is seen by walking up, and most files are no answer either way.
      const [there, inTrash] = [matches(file, false), matches(file, true)];
      return there === inTrash ? there : state.trashed(file, (id) => state.seen(id)) ? inTrash : there;
    }),
    params.get("orderBy"),
  );
  // A page goes on behind the last one: what was deleted meanwhile moves nothing.
  const token = params.get("pageToken") ?? "";
  const rest = token === "" ? found : state.restOf(token, found);
  if (rest === undefined) throw invalid("pageToken");
  const page = rest.slice(0, size);
  const more = rest.slice(size);
  return {
    kind: "drive#fileList",
    incompleteSearch: false,
    files: page.map((file) => show(state, file)),
    ...(more.length > 0 ? { nextPageToken: state.pageToken(more) } : {}),
  };
}

export function generateIds(state: State, params: Params): Record<string, unknown> {
  const count = Number(params.get("count") ?? 10);
  if (!Number.isInteger(count) || count < 1 || count > 1000) throw invalid("count", "Invalid value. Values must be within the range: [1, 1000]");
  const ids = Array.from({ length: count }, () => state.newId());
  for (const id of ids) state.generated.add(id);
  return { kind: "drive#generatedIds", space: "drive", ids };
}

export function about(state: State, params: Params): Record<string, unknown> {
  if (params.get("fields") === undefined) throw new Refusal(400, "required", "The 'fields' parameter is required for this method.", { parameter: "fields" });
  const { limitBytes } = state.options;
  const usage = String(state.usage);
  return {
    kind: "drive#about",
    user: { kind: "drive#user", displayName: "Ann Example", me: true, permissionId: "0123", emailAddress: "ann@example.org" },
    storageQuota: { ...(limitBytes === undefined ? {} : { limit: String(limitBytes) }), usage, usageInDrive: usage, usageInDriveTrash: "0" },
    importFormats: {},
    exportFormats: EXPORTS,
    maxUploadSize: "5242880000000",
  };
}

export const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  "application/vnd.google-apps.document": ["text/plain", "text/html", "application/pdf"],
  "application/vnd.google-apps.spreadsheet": ["text/csv", "application/pdf"],
};

export function changes(state: State, params: Params): Record<string, unknown> {
  const start = Number(params.get("pageToken") ?? Number.NaN);
  if (!Number.isInteger(start) || start < 1 || start > state.changes.length + 1) throw invalid("pageToken");
  const size = Number(params.get("pageSize") ?? 100);
  const page = state.changes.slice(start - 1, start - 1 + size);
  const next = start + page.length;
  return {
    kind: "drive#changeList",
    ...(next <= state.changes.length ? { nextPageToken: String(next) } : { newStartPageToken: String(next) }),
    changes: page.map(({ fileId, removed, atMs }) => {
      const file = removed ? undefined : state.files.get(fileId);
      return {
        kind: "drive#change",
        type: "file",
        changeType: "file",
        time: new Date(atMs).toISOString(),
        fileId,
        removed: file === undefined,
        ...(file === undefined ? {} : { file: show(state, file) }),
      };
    }),
  };
}

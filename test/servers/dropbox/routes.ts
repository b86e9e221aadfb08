/** The routes: where each lives, how it is called, whether it commits, and what it does. */
import type { Account } from "./accounts.ts";
import {
  arrayOf,
  commitShape,
  cursorShape,
  hash,
  listPath,
  object,
  optional,
  readPath,
  rev,
  text,
  sessionType,
  writePath,
  between,
  flag,
} from "./arguments.ts";
import type { Shape } from "./arguments.ts";
import { createFolder, getMetadata, listRevisions, remove, restore } from "./files.ts";
import { listContinue, listFolder } from "./listings.ts";
import type { Json } from "./metadata.ts";
import { relocate } from "./relocate.ts";
import { append, finish, finishBatch, finishBatchCheck, start, upload } from "./uploads.ts";
import { currentAccount, spaceUsage } from "./users.ts";

export interface Asked {
  readonly account: Account;
  readonly route: string;
  readonly args: Json;
  readonly body: readonly Uint8Array[];
}
export interface Route {
  readonly style: "rpc" | "upload" | "download";
  /** It changes the tree, and takes the namespace for that. */
  readonly commits?: boolean;
  /** Undefined: the route takes no argument. */
  readonly shape: Shape | undefined;
  readonly answer: (asked: Asked) => Json;
}

const relocation: Shape = {
  from_path: writePath,
  to_path: writePath,
  autorename: optional(flag),
  allow_shared_folder: optional(flag),
  allow_ownership_transfer: optional(flag),
};
const listed: Shape = {
  path: listPath,
  recursive: optional(flag),
  include_media_info: optional(flag),
  include_deleted: optional(flag),
  include_has_explicit_shared_members: optional(flag),
  include_mounted_folders: optional(flag),
  include_non_downloadable_files: optional(flag),
  limit: optional(between(1, 2000)),
};
const asked: Shape = {
  path: readPath,
  include_media_info: optional(flag),
  include_deleted: optional(flag),
  include_has_explicit_shared_members: optional(flag),
};
const batch: Shape = { entries: arrayOf(object({ cursor: object(cursorShape), commit: object(commitShape) }), 1000) };

export const routes: Readonly<Record<string, Route>> = {
  "files/get_metadata": { style: "rpc", shape: asked, answer: getMetadata },
  "files/list_folder": { style: "rpc", shape: listed, answer: listFolder },
  "files/list_folder/continue": { style: "rpc", shape: { cursor: text }, answer: listContinue },
  "files/create_folder_v2": { style: "rpc", commits: true, shape: { path: writePath, autorename: optional(flag) }, answer: createFolder },
  "files/delete_v2": { style: "rpc", commits: true, shape: { path: writePath, parent_rev: optional(rev) }, answer: remove },
  "files/copy_v2": { style: "rpc", commits: true, shape: relocation, answer: (one) => relocate(one, "copy") },
  "files/move_v2": { style: "rpc", commits: true, shape: relocation, answer: (one) => relocate(one, "move") },
  "files/restore": { style: "rpc", commits: true, shape: { path: writePath, rev }, answer: restore },
  "files/list_revisions": {
    style: "rpc",
    shape: { path: readPath, mode: optional(() => undefined), limit: optional(between(1, 100)) },
    answer: listRevisions,
  },
  "files/upload": { style: "upload", commits: true, shape: { ...commitShape, content_hash: optional(hash) }, answer: upload },
  "files/upload_session/start": {
    style: "upload",
    shape: { close: optional(flag), session_type: optional(sessionType), content_hash: optional(hash) },
    answer: start,
  },
  "files/upload_session/append_v2": {
    style: "upload",
    shape: { cursor: object(cursorShape), close: optional(flag), content_hash: optional(hash) },
    answer: append,
  },
  "files/upload_session/finish": {
    style: "upload",
    commits: true,
    shape: { cursor: object(cursorShape), commit: object(commitShape), content_hash: optional(hash) },
    answer: finish,
  },
  "files/upload_session/finish_batch_v2": { style: "rpc", commits: true, shape: batch, answer: finishBatch },
  "files/upload_session/finish_batch": {
    style: "rpc",
    commits: true,
    shape: batch,
    answer: (one) => ({ ".tag": "complete", ...finishBatch(one) }),
  },
  "files/upload_session/finish_batch/check": { style: "rpc", shape: { async_job_id: text }, answer: finishBatchCheck },
  "files/download": { style: "download", shape: { path: (value) => readPath(value), rev: optional(rev) }, answer: getMetadata },
  "users/get_space_usage": { style: "rpc", shape: undefined, answer: spaceUsage },
  "users/get_current_account": { style: "rpc", shape: undefined, answer: currentAccount },
};

/** Routes that carry bytes live on a host of their own (API reference, "Content endpoints"). */
export const hostOf = (style: Route["style"]): "api" | "content" => (style === "rpc" ? "api" : "content");

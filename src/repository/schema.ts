/** The tables of the repository. docs/formats/repository-catalogue.md describes them. A released step never changes; a change is a further one. */
import type { Migration } from "../catalogue/index.ts";

export const COMPONENT = "repository";

/** Of `repo_object.state`. */
export const SENDING = 0;
export const STORED = 1;
/** No file names it any more. */
export const REMOVING = 2;

/** All of them, each after those that it refers to. */
export const TABLES = [
  "repo_fact",
  "repo_host",
  "repo_path",
  "repo_file",
  "repo_object",
  "repo_copy",
  "repo_file_tag",
  "repo_path_tag",
  "repo_backup",
] as const;

export const migrations: readonly Migration[] = [
  {
    name: "files, objects, copies, tags, hosts, backups",
    statements: [
      "create table repo_fact(key {text} primary key, value {text} not null) {strict}",
      "create table repo_host(id {id}, name {text} not null unique, token {text} not null unique, limit_bytes {int}, active {int} not null, made_ms {int} not null, seen_ms {int} not null) {strict}",
      // `versions` counts what was published: the order of versions is that of a counter, for clocks of machines differ.
      "create table repo_path(id {id}, path {text} not null unique, versions {int} not null) {strict}",
      `create table repo_file(id {id}, guid {text} not null unique, bucket {text} not null, key {text} not null, path {int} not null references repo_path(id),
       origin {int} not null references repo_host(id), pending {text}, content {int} not null, md5 {text}, sha256 {text}, size {int}, created_ms {int} not null, changed_ms {int} not null,
       uploaded_ms {int}, version {int}, published {int} not null, published_ms {int}, archived_ms {int}, expired_ms {int}, expired_after {int}, purged_ms {int}, marked_ms {int},
       unique(bucket, key)) {strict}`,
      "create index repo_file_path on repo_file(path, version)",
      "create index repo_file_current on repo_file(path, version) where published = 1",
      "create index repo_file_other on repo_file(origin, changed_ms) where published = 0",
      "create index repo_file_sha256 on repo_file(sha256)",
      "create index repo_file_marked on repo_file(marked_ms) where marked_ms is not null",
      "create index repo_file_pending on repo_file(origin) where pending is not null",
      // Everything that may lie in a store has its row before it is sent, and keeps it until it is deleted.
      `create table repo_object(id {id}, bucket {text} not null, path {text} not null, file {int}, content {int} not null, state {int} not null, host {int}, made_ms {int} not null,
       due_ms {int} not null, after_backup {int}, tries {int} not null, last_error {text}, checked_ms {int}, bad {text}, unique(bucket, path)) {strict}`,
      "create unique index repo_object_file on repo_object(file) where state = 1",
      "create index repo_object_due on repo_object(due_ms) where state = 2",
      "create index repo_object_sending on repo_object(host) where state = 0",
      "create index repo_object_bad on repo_object(id) where bad is not null",
      `create table repo_copy(host {int} not null references repo_host(id), name {text} not null, file {int} not null, size {int} not null, downloaded_ms {int} not null, used_ms {int} not null,
       leaving {int} not null, primary key(host, name)) {strict}`,
      "create unique index repo_copy_file on repo_copy(file, host) where leaving = 0",
      "create index repo_copy_used on repo_copy(host, used_ms) where leaving = 0",
      "create table repo_file_tag(file {int} not null references repo_file(id), tag {text} not null, tagged_ms {int} not null, primary key(file, tag)) {strict}",
      "create index repo_file_tag_tag on repo_file_tag(tag, file)",
      "create table repo_path_tag(path {int} not null references repo_path(id), tag {text} not null, tagged_ms {int} not null, primary key(path, tag)) {strict}",
      "create index repo_path_tag_tag on repo_path_tag(tag, path)",
      // One that is not finished counts for nothing.
      "create table repo_backup(id {id}, name {text} not null unique, started_ms {int} not null, finished_ms {int}, size {int}, row_count {int}) {strict}",
    ],
  },
  {
    // So that what is left to do is found without looking at all that is there.
    name: "what leaves, is not sent, or is purged",
    statements: [
      "drop index repo_copy_used",
      "create index repo_copy_used on repo_copy(host, used_ms, file) where leaving = 0",
      "create index repo_copy_leaving on repo_copy(host, file) where leaving = 1",
      "create index repo_file_unsent on repo_file(id) where published = 1 and uploaded_ms is null",
      "create index repo_file_unpublished on repo_file(origin, changed_ms) where published = 0 and expired_ms is null and purged_ms is null",
      "create index repo_file_purged on repo_file(id) where purged_ms is not null",
    ],
  },
];

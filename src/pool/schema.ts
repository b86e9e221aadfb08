/** The tables of the pool. docs/formats/pool-catalogue.md describes them. A released step never changes; a change is a further one. */
import type { Migration } from "../catalogue/index.ts";

/** Of `copy.state`. */
export const SENDING = 0;
export const STORED = 1;
export const DEAD = 2;
/** An upload that failed, kept as dumps have it; never a source. */
export const FAILED = 3;

export const migrations: readonly Migration[] = [
  {
    name: "files, copies, hosts, meters",
    statements: [
      "create table node(id {text} primary key, made_ms {int} not null) {strict}",
      "create table file(id {id}, hash {text} not null unique, name {text} not null, size {int} not null, created_ms {int} not null, queued {int} not null, exported_ms {int}, confirmed {text}) {strict}",
      "create index file_queued on file(id) where queued = 1",
      "create index file_size on file(size)",
      "create index file_unconfirmed on file(id) where confirmed is null",
      "create table cached(node {text} not null references node(id), file {int} not null references file(id), name {text} not null, used_ms {int} not null, primary key(node, file), unique(node, name)) {strict}",
      "create index cached_file on cached(file)",
      "create table copy(id {id}, file {int} not null references file(id), host {text} not null, url {text} not null, state {int} not null, owned {int} not null, node {text}, made_ms {int} not null, checked_ms {int}, unique(file, host, url)) {strict}",
      "create index copy_host on copy(host)",
      "create index copy_sending on copy(node) where state = 0",
      "create table host(name {text} primary key, state {text} not null, errors {int} not null, score {real} not null, scored_ms {int} not null, uploads {int} not null, downloads {int} not null, last_error {text}, last_error_ms {int}) {strict}",
      "create table meter(month {text} primary key, uploaded {int} not null, downloaded {int} not null) {strict}",
      "create table fact(key {text} primary key, value {text} not null) {strict}",
    ],
  },
  {
    name: "removal and collection",
    statements: [
      "alter table file add column marked_ms {int}",
      "create index file_marked on file(marked_ms) where marked_ms is not null",
      "create table removal(id {id}, host {text} not null, url {text} not null, since_ms {int} not null, due_ms {int} not null, tries {int} not null, last_error {text}, unique(host, url)) {strict}",
      "create index removal_due on removal(due_ms)",
      "create table leaving(node {text} not null references node(id), name {text} not null, size {int} not null, primary key(node, name)) {strict}",
    ],
  },
  {
    // So that what leaves a full cache is found without looking at all that is in it.
    name: "sizes of cached files",
    statements: [
      "alter table cached add column size {int} not null default 0",
      "update cached set size = (select f.size from file f where f.id = cached.file)",
      "create index cached_size on cached(node, size, file)",
      "create index cached_used on cached(node, used_ms, file)",
    ],
  },
];

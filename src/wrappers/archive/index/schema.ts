/** Tables of the local index: the view that all known archives show together, and what is needed to take one of them away again. */

/** Of the tables. A database of a later version is not touched. */
export const SCHEMA_VERSION = 1;

/**
 * Directories are numbered, so that a listing is one range of `entry` and a subtree is followed by numbers.
 *
 * archive   every archive that is known and readable. `missing`: not in the last listing, since when by the local clock. `unneeded`: likewise. `sent`: its
 *           deletion was sent. `learned`: when, by the local clock. `payload`: of its members, as `payloadOf` counts it.
 *           `live…`: records and bytes that are shown
 * unread    objects that look like archives and are none, or are of a newer version
 * dir       paths of directories. `children`: rows of `entry` in it
 * entry     what is shown: the winner of each path. kind 1 file, 2 directory, 3 directory that is only implied by what lies below. A file with
 *           children is hidden behind the directory that they imply. `home`: the archive whose record this is. `at`, `off`: archive and place of the
 *           bytes; while that archive is not known, `at` is null and `ref` its id
 * shadow    every other record of a known archive: older, deleted, or a second copy of a winner
 * intent    uploads whose outcome is not known. `time` null: not stamped yet. `until` null: running. `began`: by the local clock. `paths`: what it speaks of, as
 *           JSON, so that deletes cover it after a restart too
 */
export const SCHEMA = `
create table meta(key text primary key, value any) strict, without rowid;
create table archive(
  id integer primary key, name text not null unique, object text not null, bytes integer not null, data integer not null,
  time integer not null, writer text not null, learned integer not null,
  missing integer, unneeded integer, sent integer not null default 0,
  records integer not null, payload integer not null, liveRecords integer not null default 0, liveBytes integer not null default 0) strict;
create table unread(
  object text primary key, name text not null, bytes integer not null, newer integer not null, reason text not null, since integer not null) strict, without rowid;
create table dir(
  id integer primary key, parent integer not null, name text not null, children integer not null default 0, unique(parent, name)) strict;
insert into dir(id, parent, name) values(1, 0, '');
create table entry(
  dir integer not null, name text not null, kind integer not null, t integer not null, w text not null, home integer not null,
  at integer, ref text, off integer, size integer not null, modified integer, hash text, extra text,
  primary key(dir, name)) strict, without rowid;
create index entry_home on entry(home);
create index entry_at on entry(at) where at is not null and at <> home;
create index entry_ref on entry(ref) where ref is not null;
create table shadow(
  dir integer not null, name text not null, kind integer not null, t integer not null, w text not null, home integer not null,
  at integer, ref text, off integer, size integer not null, modified integer, hash text, extra text,
  primary key(dir, name, home)) strict, without rowid;
create index shadow_home on shadow(home);
create index shadow_at on shadow(at) where at is not null and at <> home;
create index shadow_ref on shadow(ref) where ref is not null;
create table tomb(
  dir integer not null, name text not null, t integer not null, w text not null, born integer not null, archive integer not null,
  primary key(dir, name, archive)) strict, without rowid;
create index tomb_archive on tomb(archive);
create table claim(
  writer text not null, by text not null, t integer not null, born integer not null, learned integer not null, archive integer not null,
  primary key(writer, by, t, archive)) strict, without rowid;
create index claim_archive on claim(archive);
create table intent(
  name text primary key, object text not null, bytes integer not null, kind text not null, time integer, began integer not null, until integer,
  paths text not null) strict;
`;

/** Columns that `entry` and `shadow` share, in order. */
export const COLUMNS = "dir, name, kind, t, w, home, at, ref, off, size, modified, hash, extra";

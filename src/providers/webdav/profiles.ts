/**
 * What each WebDAV server keeps and what it cannot do, as data: one profile per server, with the evidence beside it.
 *
 *   webdav({ url, server: "apache" });   webdav({ url, server: { ...profiles.generic, name: "acme", etag: "strong" } });
 *
 * Evidence: [run] seen on the Debian 12 packages Apache 2.4.71, lighttpd 1.4.69, SabreDAV 1.8.12, nginx 1.22.1 with dav-ext, rclone 1.60.1 in
 * November 2026; [live] to be proven on a live account. A condition with a race is not claimed, so that what is claimed may be used for locks.
 */

export type WebdavServer = "apache" | "lighttpd" | "sabredav" | "nginx" | "rclone" | "nextcloud" | "generic";

export interface WebdavProfile {
  /** For people: in `toString()`, reports and errors. */
  readonly name: string;
  /** Are equal etags of one path equal bytes? "weak": also those marked `W/`; "strong": without the mark; "none": never. */
  readonly etag: "strong" | "weak" | "none";
  /** The server answers If-None-Match on GET with 304. */
  readonly notModified: boolean;
  /** PUT shows the old or the new file to every reader and leaves the old one when it breaks off. False: temporary name and MOVE. */
  readonly atomicPut: boolean;
  /** PUT of nothing and COPY write into the file that is there, and readers get its old length: both go to a temporary name and MOVE. */
  readonly writesInPlace: boolean;
  /**
   * "Only if nothing is there" is kept against racing writers by a temporary name and MOVE without Overwrite. There is no such thing for PUT: Apache lets
   * several win, lighttpd compares when the body begins.
   */
  readonly exclusiveMove: boolean;
  /** COPY and MOVE with `Overwrite: F` have exactly one winner. */
  readonly noReplace: boolean;
  /** Of racing MKCOLs exactly one answers 201. */
  readonly exclusiveMkdir: boolean;
  /** MKCOL of a collection that exists answers 201: it is looked at first. */
  readonly silentMkcol: boolean;
  /** COPY and MOVE onto a directory put the file inside, or merge, even without Overwrite: the target is looked at first. */
  readonly looksAtTarget: boolean;
  /** DELETE of a collection can be guarded by its etag, which changes with its children. The look and the guard leave a gap inside the server. */
  readonly guardedDelete: boolean;
  /** A body of unknown size may be sent in chunks. False: spooled first. */
  readonly chunked: boolean;
  /** With `Expect: 100-continue` a missing parent is refused before the body is sent. False: parents are made sure of first. */
  readonly refusesEarly: boolean;
  /** GET may answer for what is no file (a path below a file, a page for a directory), or send the bytes of one version and announce the next: looked at first. */
  readonly looksBeforeRead: boolean;
  /** GET may announce one version and send the bytes of the next: what it announced is asked again once the answer has begun. */
  readonly looksAfterRead: boolean;
  /** Answers the quota properties. */
  readonly quota: boolean;
  /** Longest name in bytes, after encoding. */
  readonly maxNameBytes: number;
  /** Characters that no name may start or end with, and whole names the server keeps for itself: written as tokens. */
  readonly first: string;
  readonly last: string;
  readonly any: string;
  /** Reads rare characters as pairs of Latin-1 ones (sabre-names.ts): those are written as tokens. */
  readonly misreadsNames: boolean;
  /** A file that is being uploaded breaks the listing of its directory: temporary files go to a directory of their own. */
  readonly uploadsBreakListings: boolean;
  /** Its first character becomes a token, so no name that starts with "%" can be in here. */
  readonly reserved: RegExp | null;
  /** Names that the server takes in no form: `invalid-path`. */
  readonly refused: RegExp | null;
  readonly normalisation: "kept" | "nfc";
  /** How late what was written may show; 0: at once. */
  readonly settleMs: number;
  /** How many calls at once serve the server best. */
  readonly concurrency: number;
}

/** The cautious one: what is not known to hold is not used. */
const generic: WebdavProfile = {
  name: "generic",
  etag: "none",
  notModified: false,
  atomicPut: false,
  writesInPlace: false,
  exclusiveMove: false,
  noReplace: false,
  exclusiveMkdir: false,
  silentMkcol: true,
  looksAtTarget: true,
  guardedDelete: false,
  chunked: true,
  refusesEarly: false,
  looksBeforeRead: true,
  looksAfterRead: false,
  quota: true,
  maxNameBytes: 255,
  first: "",
  last: "",
  any: "",
  misreadsNames: false,
  uploadsBreakListings: false,
  reserved: null,
  refused: null,
  normalisation: "kept",
  settleMs: 0,
  concurrency: 4,
};

/**
 * Apache mod_dav_fs. PUT goes to a temporary file and is renamed; its etag is inode, size and mtime in microseconds, marked weak while the file is
 * about a second old, and `If-Match` fails that long, `If` does not [run]. Races: PUT If-None-Match 22 of 100 rounds with one winner, MOVE without
 * Overwrite 16 of 60, `If` with up to 5 winners, MKCOL 60 of 60; DELETE of a directory guarded by its etag lost a child in 7 of 200 races, none of 200
 * children that came before it [run]. GET takes size and etag from one look and opens the file after it: a file replaced in between comes with
 * the length of the old version and the bytes of the new one [run]. `.htaccess` makes its directory unreadable for good, `.DAV` holds properties.
 */
const apache: WebdavProfile = {
  ...generic,
  name: "apache",
  etag: "weak",
  notModified: true,
  atomicPut: true,
  exclusiveMkdir: true,
  silentMkcol: false,
  looksAtTarget: false,
  guardedDelete: true,
  refusesEarly: true,
  looksBeforeRead: false,
  looksAfterRead: true,
  quota: false,
  reserved: /^(?:\.htaccess|\.htpasswd|\.dav|\.davfs\.tmp.*)$/i,
  concurrency: 8,
};

/**
 * lighttpd mod_webdav. MOVE without Overwrite and MKCOL exclude (60 of 60); conditions on PUT are compared when the body begins, not when it ends, so a
 * slow writer overwrites what came meanwhile [run]. PUT of an empty body and COPY write into the old file, whose size is remembered for a second [run].
 * GET of /file/below answers with the file (path-info), COPY onto a directory puts the file inside. Uploads go to a name that is longer by the
 * process number: 247 bytes are 500, and what still fits depends on that number [run].
 */
const lighttpd: WebdavProfile = {
  ...apache,
  name: "lighttpd",
  etag: "strong",
  writesInPlace: true,
  exclusiveMove: true,
  noReplace: true,
  looksAtTarget: true,
  guardedDelete: false,
  looksBeforeRead: true,
  looksAfterRead: false,
  maxNameBytes: 236,
  reserved: null,
};

/** nginx with dav-ext: no etag in PROPFIND and that of GET is seconds and size, so none; conditions are ignored; MOVE without Overwrite excludes with one worker process (60 of 60), and lets two win with two (3 of 150 rounds of six); dot-files are not listed; a missing parent is 500 after the body [run]. */
const nginx: WebdavProfile = {
  ...apache,
  name: "nginx",
  etag: "none",
  notModified: false,
  guardedDelete: false,
  refusesEarly: false,
  looksAfterRead: false,
  first: ".",
  reserved: null,
};

/** SabreDAV FSExt: writes in place (readers saw 503 empty files in 1,400), excludes nothing, cuts a file on a full disk and says 201, says 201 for a name of 256 bytes and stores nothing; opens the file and then reads size and etag; etag is the md5 [run]. */
const sabredav: WebdavProfile = {
  ...generic,
  name: "sabredav",
  etag: "strong",
  notModified: true,
  silentMkcol: false,
  looksAtTarget: false,
  misreadsNames: true,
};

/** rclone serve webdav: an aborted PUT leaves half of the body, conditions are ignored (any `If` is 412), MKCOL always says 201; MOVE without Overwrite excludes (60 of 60); a GET during an overwrite has the old length and the new bytes; a file on its way ends the listing of its directory with "Internal Server Error" behind the XML [run]. */
const rclone: WebdavProfile = {
  ...generic,
  name: "rclone",
  etag: "strong",
  notModified: true,
  exclusiveMove: true,
  noReplace: true,
  looksAtTarget: false,
  refusesEarly: true,
  looksBeforeRead: false,
  looksAfterRead: true,
  quota: false,
  uploadsBreakListings: true,
};

/** Nextcloud and ownCloud: SabreDAV with part files, so PUT is atomic; names are rewritten to NFC and held with a suffix of their own, `.part`, which users' files cannot have [live]. */
const nextcloud: WebdavProfile = {
  ...generic,
  name: "nextcloud",
  etag: "strong",
  notModified: true,
  atomicPut: true,
  silentMkcol: false,
  looksAtTarget: false,
  chunked: false,
  maxNameBytes: 220,
  any: "\\",
  first: " ",
  last: " ",
  reserved: /^\.htaccess$/i,
  refused: /\.(?:part|filepart)$/i,
  normalisation: "nfc",
};

export const profiles: Readonly<Record<WebdavServer, WebdavProfile>> = { apache, lighttpd, sabredav, nginx, rclone, nextcloud, generic };

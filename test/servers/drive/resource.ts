/** A file as the API shows it, and what of it may be written (developers.google.com/workspace/drive/api/reference/rest/v3/files). */
import { Refusal, badRequest, forbidden, invalid } from "./errors.ts";
import { FOLDER, SHORTCUT, isGoogle } from "./state.ts";
import type { File, State } from "./state.ts";

/** Everything that `fields` may name, of files and of the answers around them. */
export const KNOWN: ReadonlySet<string> = new Set(
  (
    "kind id name mimeType parents trashed explicitlyTrashed createdTime modifiedTime version size md5Checksum sha1Checksum sha256Checksum headRevisionId " +
    "appProperties properties description shortcutDetails targetId targetMimeType targetResourceKey resourceKey driveId teamDriveId capabilities canReadRevisions " +
    "canDownload canTrash canEdit canDelete ownedByMe owners displayName emailAddress webViewLink exportLinks starred quotaBytesUsed originalFilename permissionId " +
    "files nextPageToken incompleteSearch storageQuota limit usage usageInDrive usageInDriveTrash user importFormats exportFormats maxUploadSize " +
    "ids space changes newStartPageToken startPageToken fileId removed time changeType type file drives drive revisions keepForever me permissionIds permissions " +
    "spaces viewedByMeTime modifiedByMe modifiedByMeTime hasThumbnail thumbnailLink iconLink shared isAppAuthorized fullFileExtension fileExtension"
  ).split(" "),
);

export function show(state: State, file: File): Record<string, unknown> {
  const { content } = file;
  const trashed = state.trashed(file);
  return {
    kind: "drive#file",
    id: file.id,
    name: file.name,
    mimeType: file.mimeType,
    ...(file.parents.length === 0 ? {} : { parents: file.parents }),
    trashed,
    explicitlyTrashed: file.explicitlyTrashed,
    createdTime: new Date(file.createdMs).toISOString(),
    modifiedTime: new Date(file.modifiedMs).toISOString(),
    version: String(file.version),
    ...(file.driveId === undefined ? { ownedByMe: true } : { driveId: file.driveId, teamDriveId: file.driveId }),
    // Docs, folders and shortcuts have no size here, and no checksums.
    ...(content === undefined
      ? {}
      : {
          size: String(content.size),
          quotaBytesUsed: String(content.size),
          md5Checksum: content.md5Checksum,
          sha1Checksum: content.sha1Checksum,
          sha256Checksum: content.sha256Checksum,
          headRevisionId: file.headRevisionId,
          originalFilename: file.name,
        }),
    ...(file.description === undefined ? {} : { description: file.description }),
    ...(file.shortcutDetails === undefined ? {} : { shortcutDetails: file.shortcutDetails }),
    ...(Object.keys(file.appProperties).length === 0 ? {} : { appProperties: file.appProperties }),
    ...(Object.keys(file.properties).length === 0 ? {} : { properties: file.properties }),
    capabilities: { canReadRevisions: content !== undefined, canDownload: true, canTrash: true, canEdit: true, canDelete: true },
    webViewLink: `https://drive.google.com/file/d/${file.id}/view`,
  };
}

export type Body = Readonly<Record<string, unknown>>;

/** Of a body only these may be given; the rest is the service's to say. */
const WRITABLE = new Set(
  "name mimeType parents id description starred trashed modifiedTime createdTime appProperties properties shortcutDetails originalFilename keepRevisionForever".split(
    " ",
  ),
);
/** What clients send back from an answer of another kind without meaning it. */
const IGNORED = new Set(["kind", "viewedByMeTime", "writersCanShare", "copyRequiresWriterPermission", "contentHints"]);

export interface Written {
  readonly name?: string;
  readonly mimeType?: string;
  readonly parents?: readonly string[];
  readonly id?: string;
  readonly description?: string;
  readonly explicitlyTrashed?: boolean;
  readonly modifiedMs?: number;
  readonly createdMs?: number;
  readonly appProperties?: Readonly<Record<string, string | null>>;
  readonly properties?: Readonly<Record<string, string | null>>;
  readonly shortcutDetails?: { readonly targetId: string };
}

/** @throws Refusal 403 fieldNotWritable, 400 for a value of the wrong kind */
export function written(body: Body, verb: "create" | "copy" | "update"): Written {
  for (const [name, value] of Object.entries(body)) {
    if (IGNORED.has(name) || value === null || value === undefined) continue;
    if (!WRITABLE.has(name) || (verb === "update" && (name === "id" || name === "createdTime" || name === "shortcutDetails")))
      throw forbidden("fieldNotWritable", "The resource body includes fields which are not directly writable.");
    if (verb === "update" && name === "parents")
      throw forbidden(
        "fieldNotWritable",
        "The parents field is not directly writable in update requests. Use the addParents and removeParents parameters instead.",
      );
  }
  const text = (name: string): string | undefined => {
    const value = body[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw invalid(name);
    return value;
  };
  const time = (name: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    // RFC 3339; anything finer than a millisecond is cut.
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) || Number.isNaN(Date.parse(value))) throw invalid(name);
    return Date.parse(value);
  };
  const pairs = (name: "appProperties" | "properties"): Record<string, string | null> | undefined => {
    const value = body[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "object") throw invalid(name);
    for (const [key, one] of Object.entries(value)) {
      if (one === null) continue;
      if (typeof one !== "string" || key === "") throw invalid(name);
      // "124 bytes per property string, including both the key and the value, in UTF-8" (api/guides/properties).
      if (Buffer.byteLength(key) + Buffer.byteLength(one) > 124) throw invalid(name, "Property key and value are too long.");
    }
    return value as Record<string, string | null>;
  };
  const parents = body["parents"];
  if (parents !== undefined && parents !== null && (!Array.isArray(parents) || parents.some((one) => typeof one !== "string"))) throw invalid("parents");
  // "A file can only have a single parent" (api/guides/ref-single-parent).
  if (Array.isArray(parents) && parents.length > 1)
    throw new Refusal(400, "invalid", "A file cannot be created with more than one parent.", { parameter: "parents" });
  const trashed = body["trashed"];
  if (trashed !== undefined && typeof trashed !== "boolean") throw invalid("trashed");
  const details = body["shortcutDetails"] as { targetId?: unknown } | undefined;
  if (details !== undefined && typeof details.targetId !== "string") throw invalid("shortcutDetails");
  const all = {
    name: text("name"),
    mimeType: text("mimeType"),
    parents: (parents as string[] | undefined) ?? undefined,
    id: text("id"),
    description: text("description"),
    explicitlyTrashed: trashed,
    modifiedMs: time("modifiedTime"),
    createdMs: time("createdTime"),
    appProperties: pairs("appProperties"),
    properties: pairs("properties"),
    shortcutDetails: details as { targetId: string } | undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Written;
}

/** New pairs over the old ones; null takes one away. "A maximum of 30 private properties per file from any one application." */
export function merged(old: Readonly<Record<string, string>>, more: Readonly<Record<string, string | null>> | undefined): Readonly<Record<string, string>> {
  const pairs = new Map(Object.entries(old));
  for (const [key, value] of Object.entries(more ?? {})) {
    if (value === null) pairs.delete(key);
    else pairs.set(key, value);
  }
  if (pairs.size > 30) throw invalid("appProperties", "Too many properties.");
  return Object.fromEntries(pairs);
}

/** The folder of a new place. @throws Refusal 404, 403 */
export function parentOf(state: State, id: string, allDrives: boolean): File {
  const parent = state.get(id, allDrives);
  if (parent.mimeType !== FOLDER) throw forbidden("parentNotAFolder", "The specified parent is not a folder.");
  return parent;
}

export function checkType(mimeType: string): void {
  if (isGoogle(mimeType) && mimeType !== FOLDER && mimeType !== SHORTCUT) return;
  // What stands in a media type (RFC 9110, 8.3.1).
  if (!/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;.*)?$/.test(mimeType)) throw badRequest("Invalid MIME type provided for the uploaded content.");
}

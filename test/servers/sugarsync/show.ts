/** How the service shows its resources. Source: https://www.sugarsync.com/dev/api/, the XML representation on the page of each resource. */
import type { Account } from "./accounts.ts";
import { element, escaped, xmlDocument } from "./markup.ts";
import type { Node, Version } from "./tree.ts";

export interface Shown {
  /** "https://api.sugarsync.com": every link begins with it. */
  readonly base: string;
  readonly account: Account;
}

/** As in the examples: with the offset of the service's own place. */
export function timeOf(ms: number): string {
  return new Date(ms - 8 * 3_600_000).toISOString().replace("Z", "-08:00");
}

export const linkOf = ({ base, account }: Shown, { id, kind }: Node): string => `${base}/${kind}/:sc:${account.userId}:${id}`;

const parentOf = (shown: Shown, node: Node): string =>
  node.parent === null ? `${shown.base}/user/${shown.account.userId}/folders` : linkOf(shown, node.parent);

export function folder(shown: Shown, node: Node): string {
  const link = linkOf(shown, node);
  return xmlDocument(
    `<folder>${element("displayName", node.name)}${element("dsid", `/sc/${shown.account.userId}/${node.id}`)}${element("timeCreated", timeOf(node.createdMs))}` +
      `${element("parent", parentOf(shown, node))}${element("collections", `${link}/contents?type=folder`)}${element("files", `${link}/contents?type=file`)}` +
      `${element("contents", `${link}/contents`)}<sharing enabled="false"/></folder>`,
  );
}

/** A file that never got bytes has the size -1 (CloudFusion's client) and is not on the server. */
const sizeOf = (version: Version | undefined): string => String(version?.size ?? -1);

function fileFields(shown: Shown, node: Node): string {
  const version = node.versions.at(-1);
  return (
    `${element("size", sizeOf(version))}${element("lastModified", timeOf(version?.modifiedMs ?? node.createdMs))}${element("mediaType", node.mediaType)}` +
    `${element("presentOnServer", String(version !== undefined))}${element("fileData", `${linkOf(shown, node)}/data`)}`
  );
}

export function file(shown: Shown, node: Node): string {
  return xmlDocument(
    `<file>${element("displayName", node.name)}${element("dsid", `/sc/${shown.account.userId}/${node.id}`)}${element("timeCreated", timeOf(node.createdMs))}` +
      `${element("parent", parentOf(shown, node))}${fileFields(shown, node)}${element("versions", `${linkOf(shown, node)}/version`)}` +
      `<publicLink enabled="false"/></file>`,
  );
}

export interface Paging {
  readonly start: number;
  readonly max: number;
}

/** `end` is the index of the last one shown, and -1 + start of an empty page. */
export function contents(shown: Shown, all: readonly Node[], { start, max }: Paging): string {
  const page = all.slice(start, start + max);
  const items = page.map((node) => {
    const link = linkOf(shown, node);
    if (node.kind === "file") return `<file>${element("displayName", node.name)}${element("ref", link)}${fileFields(shown, node)}</file>`;
    const type = node.sync ? "syncFolder" : "folder";
    return `<collection type="${type}">${element("displayName", node.name)}${element("ref", link)}${element("contents", `${link}/contents`)}</collection>`;
  });
  const end = start + page.length - 1;
  return xmlDocument(`<collectionContents start="${start}" hasMore="${start + page.length < all.length}" end="${end}">${items.join("")}</collectionContents>`);
}

export function user(shown: Shown): string {
  const { base, account } = shown;
  const at = `${base}/user/${account.userId}`;
  const { tree } = account;
  return xmlDocument(
    `<user>${element("username", account.username)}${element("nickname", account.username.split("@")[0] as string)}${element("salt", "")}` +
      `<quota>${element("limit", String(tree.quotaBytes))}${element("usage", String(tree.used))}</quota>` +
      `${element("workspaces", `${at}/workspaces/contents`)}${element("syncfolders", `${at}/folders/contents`)}${element("deleted", linkOf(shown, tree.deleted))}` +
      `${element("magicBriefcase", linkOf(shown, tree.briefcase))}${element("webArchive", `${base}/folder/:sc:${account.userId}:1`)}` +
      `${element("mobilePhotos", `${base}/folder/:sc:${account.userId}:3`)}${element("albums", `${at}/albums/contents`)}` +
      `${element("recentActivities", `${at}/recentActivities/contents`)}${element("receivedShares", `${at}/receivedShares/contents`)}` +
      `${element("publicLinks", `${at}/publicLinks/contents`)}${element("maximumPublicLinkSize", "25")}</user>`,
  );
}

export function workspaces({ base, account }: Shown): string {
  const link = `${base}/workspace/:sc:${account.userId}:1_0`;
  return xmlDocument(
    `<collectionContents start="0" hasMore="false" end="0"><collection type="workspace">${element("displayName", "Web")}${element("ref", link)}` +
      `<iconId>1</iconId>${element("contents", `${link}/contents`)}</collection></collectionContents>`,
  );
}

export function versions(shown: Shown, node: Node): string {
  const shownOnes = node.versions.map(
    ({ id, size, modifiedMs }) =>
      `<fileVersion>${element("size", String(size))}${element("lastModified", timeOf(modifiedMs))}${element("mediaType", node.mediaType)}` +
      `<presentOnServer>true</presentOnServer>${element("fileData", `${linkOf(shown, node)}/version/${id}/data`)}${element("ref", `${linkOf(shown, node)}/version/${id}`)}</fileVersion>`,
  );
  return xmlDocument(`<fileVersions>${shownOnes.join("")}</fileVersions>`);
}

export function authorization(base: string, account: Account, endMs: number): string {
  return xmlDocument(`<authorization>${element("expiration", timeOf(endMs))}<user>${escaped(`${base}/user/${account.userId}`)}</user></authorization>`);
}

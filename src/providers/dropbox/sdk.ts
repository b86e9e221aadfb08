/** The `dropbox` package, loaded when a store opens, as far as this provider uses it: routes, arguments in headers, answers. */
import { packageLoader } from "../../store/index.ts";

/** Structural, so that no type of the package reaches a declaration of ours. */
export interface DropboxPackage {
  readonly Dropbox: new (options: SdkOptions) => SdkClient;
  readonly DropboxAuth: new (options: { readonly accessToken: string; readonly fetch: SdkFetch }) => SdkAuth;
}
export interface SdkOptions {
  readonly auth: SdkAuth;
  readonly fetch: SdkFetch;
  readonly pathRoot?: string | undefined;
  readonly autoContentHash: boolean;
}
export interface SdkAuth {
  getAccessToken(): string;
}
export type SdkFetch = (url: string, init: SdkRequest) => Promise<SdkAnswer>;
/** What the package reads of an answer. */
export type SdkAnswer = Pick<Response, "ok" | "status" | "headers" | "text" | "arrayBuffer" | "blob">;
export interface SdkRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | null;
  readonly signal?: AbortSignal | undefined;
}
export interface SdkResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly result: unknown;
}
export interface SdkCallOptions {
  readonly signal?: AbortSignal;
  readonly extraHeaders?: Readonly<Record<string, string>>;
}
type Route = (args: unknown, options: SdkCallOptions) => Promise<SdkResponse>;
export const ROUTES = {
  filesGetMetadata: "question",
  filesListFolder: "question",
  filesListFolderContinue: "question",
  filesListRevisions: "question",
  filesDownload: "question",
  filesUploadSessionStart: "piece",
  filesUploadSessionAppendV2: "piece",
  filesUpload: "commit",
  filesUploadSessionFinish: "commit",
  filesUploadSessionFinishBatchV2: "commit",
  filesCreateFolderV2: "commit",
  filesDeleteV2: "commit",
  filesCopyV2: "commit",
  filesMoveV2: "commit",
  filesRestore: "commit",
  usersGetSpaceUsage: "question",
  usersGetCurrentAccount: "question",
} as const;
export type RouteName = keyof typeof ROUTES;
export type SdkClient = { readonly [R in RouteName]: Route };

/** @throws StoreError `config` where the package is not installed; asked again next time. */
export const loadDropbox: () => Promise<DropboxPackage> = packageLoader("the Dropbox provider", "dropbox", () => import("dropbox"));

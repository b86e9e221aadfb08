/** The `webdav` package, loaded when a store opens, as far as this provider uses it: requests and XML. */
import { packageLoader } from "../../store/index.ts";

/** Structural, so that no type of the package reaches a declaration of ours. */
export interface WebdavPackage {
  createClient(url: string, options: { readonly authType: string; readonly headers?: Readonly<Record<string, string>> }): WebdavClient;
  parseXML(xml: string, context: XmlContext): Promise<{ readonly multistatus: { readonly response: readonly unknown[] } }>;
}
export interface WebdavClient {
  customRequest(path: string, options: CustomRequest): Promise<PackageResponse>;
}
export interface CustomRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly signal: AbortSignal;
  readonly httpAgent: unknown;
  readonly httpsAgent: unknown;
}
export interface PackageResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Iterable<[string, string]>;
  /** A Node stream. */
  readonly body: AsyncIterable<Uint8Array> | null;
}
export interface XmlContext {
  readonly attributeNamePrefix: string;
  readonly attributeParsers: readonly unknown[];
  /** Called for each text; undefined says: leave it the text it is. */
  readonly tagParsers: readonly (() => undefined)[];
}

/** @throws StoreError `config` where the package is not installed; asked again next time. */
export const loadWebdav: () => Promise<WebdavPackage> = packageLoader("the WebDAV provider", "webdav", () => import("webdav"));

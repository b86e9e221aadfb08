/** The `webdav` package, loaded when a store opens, as far as this provider uses it: requests and XML. */
import { StoreError } from "../../store/index.ts";

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

let loaded: Promise<WebdavPackage> | undefined;

/** @throws StoreError `config` where the package is not installed; asked again next time. */
export function loadWebdav(): Promise<WebdavPackage> {
  loaded ??= import("webdav").then(
    (module) => module as unknown as WebdavPackage,
    (cause: unknown) => {
      loaded = undefined;
      throw missing(cause);
    },
  );
  return loaded;
}

function missing(cause: unknown): StoreError {
  const { code } = (cause ?? {}) as { code?: unknown };
  if (code === "ERR_MODULE_NOT_FOUND") return new StoreError("config", "the WebDAV provider needs the package webdav: npm install webdav", { cause });
  return new StoreError("config", "the package webdav cannot be loaded: npm install webdav", { cause });
}

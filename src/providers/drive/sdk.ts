/** The package @googleapis/drive, loaded when a store opens, as far as this provider uses it: what each method is called, and how it is put into a request. */
import { packageLoader } from "../../store/index.ts";

/** Structural, so that no type of the package reaches a declaration of ours. */
export interface DrivePackage {
  drive(options: { readonly version: "v3"; readonly rootUrl: string; readonly auth: Sender }): DriveClient;
}
/** What the package calls with each request that it has put together: the place where it is sent by our own means. */
export interface Sender {
  request(options: Prepared): Promise<Sent>;
}
export interface Prepared {
  readonly url: string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly paramsSerializer?: (params: Readonly<Record<string, unknown>>) => string;
  readonly data?: unknown;
  readonly signal?: AbortSignal;
}
export interface Sent {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly data: unknown;
}

type Params = Readonly<Record<string, unknown>>;
interface Options {
  readonly signal?: AbortSignal;
  readonly rootUrl: string;
}
type Method = (params: Params, options: Options) => Promise<{ readonly data: unknown }>;
export interface DriveClient {
  readonly files: Readonly<Record<"list" | "get" | "create" | "update" | "copy" | "delete" | "generateIds", Method>>;
  readonly about: { readonly get: Method };
}

/** @throws StoreError `config` where the package is not installed; asked again next time. */
export const loadDrive: () => Promise<DrivePackage> = packageLoader("the Drive provider", "@googleapis/drive", () => import("@googleapis/drive"));

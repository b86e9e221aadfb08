/** What users see of the control of an S3 store. Apart from the code behind it, whose types are the SDK's. */
import { kindOf, type CallOptions, type Control, type Kind } from "../../store/index.ts";

/** All of them are fixed at the start. */
export interface S3Settings {
  readonly bucket: string;
  readonly prefix: string;
  readonly vendor: string;
  readonly endpoint: string;
  readonly region: string;
  readonly transport: string;
  readonly credentials: string;
  readonly partBytes: number;
  readonly partsInFlight: number;
}
export interface SweepOptions extends CallOptions {
  /** Only uploads that began before so many milliseconds: younger ones may still be running, here or elsewhere. Default one day. */
  readonly olderThanMs?: number | undefined;
}
export interface S3Control extends Control<S3Settings> {
  /** Removes unfinished uploads below the prefix, which cost money and show in no listing. A process that was killed leaves them. Resolves to how many were removed. */
  sweep(options?: SweepOptions): Promise<number>;
}
export const S3: Kind<S3Control> = kindOf("s3");

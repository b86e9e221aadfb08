/**
 * The packages that this provider stands on, loaded when a store is opened: who does not use S3 does not install them.
 *
 *   const undici = await loadUndici();   const client = await loadClient();
 */
import { StoreError } from "../../store/index.ts";

type Loaded<T> = Promise<T>;

export function loadUndici(): Loaded<typeof import("undici")> {
  return named("undici", () => import("undici"));
}
export function loadSignature(): Loaded<typeof import("@smithy/signature-v4")> {
  return named("@smithy/signature-v4", () => import("@smithy/signature-v4"));
}
export function loadClient(): Loaded<typeof import("@aws-sdk/client-s3")> {
  return named("@aws-sdk/client-s3", () => import("@aws-sdk/client-s3"));
}

/** Only the package itself missing is the user's to mend; one that fails inside is shown as it is. @throws StoreError `config` */
async function named<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const missing = (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND" && (error as Error).message.includes(`'${name}'`);
    const reason = missing
      ? `the s3 provider needs the package ${name}: npm install @aws-sdk/client-s3 @smithy/signature-v4 undici`
      : `the package ${name} could not be loaded`;
    throw new StoreError("config", reason, { cause: error });
  }
}

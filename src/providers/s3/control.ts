/**
 * The run-time side of an S3 store: its settings as they are, and the sweep of uploads that nobody finished.
 *
 *   await store.layers.s3.sweep({ olderThanMs: 24 * 3_600_000 });   // how many were removed
 */
import { control, setting, StoreError } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { translate } from "./errors.ts";
import { isFailure } from "./failure.ts";
import type { Settings } from "./options.ts";
import type { S3Control, S3Settings, SweepOptions } from "./public.ts";

const DAY_MS = 24 * 3_600_000;
const fixed = <T>(each: T): T & { readonly live: false } => ({ ...each, live: false });

export function controlOf(settings: Settings, provider: { context(signal: AbortSignal | undefined): Promise<Context> }): S3Control {
  const { bucket, prefix, vendorName, endpoint, region, transport, partBytes, partsInFlight } = settings;
  const shown = control<S3Settings>(
    "s3",
    {
      bucket: fixed(setting.text("The bucket.")),
      prefix: fixed(setting.text("What all keys start with.")),
      vendor: fixed(setting.text("Whose service it is.")),
      endpoint: fixed(setting.text("Where it lives; empty: the vendor's own.")),
      region: fixed(setting.text("The region; empty: by the SDK's chain.")),
      transport: fixed(setting.text("How the small requests travel: direct or sdk.")),
      credentials: fixed(setting.secret("Who asks.")),
      partBytes: fixed(setting.bytes("Size of a part.")),
      partsInFlight: fixed(setting.count("Parts of one upload at once.")),
    },
    {
      bucket,
      prefix,
      vendor: vendorName,
      endpoint: endpoint?.href ?? "",
      region: region ?? "",
      transport,
      partBytes,
      partsInFlight,
      credentials: settings.credentials === undefined ? "by the SDK's chain" : "given",
    },
  );
  return {
    kind: shown.kind,
    get settings() {
      return shown.settings;
    },
    configure: (patch) => shown.configure(patch),
    flush: (options) => shown.flush(options),
    report: () => shown.report(),
    async sweep({ signal, olderThanMs = DAY_MS }: SweepOptions = {}) {
      try {
        return await sweep(await provider.context(signal), olderThanMs, signal);
      } catch (error) {
        throw (
          translate(error, { operation: "" }, settings.clock.now()) ??
          new StoreError(signal?.aborted === true ? "aborted" : "unknown", "the sweep of unfinished uploads failed", { cause: error })
        );
      }
    },
  };
}

async function sweep({ sdk, settings, session }: Context, olderThanMs: number, signal: AbortSignal | undefined): Promise<number> {
  const before = session.clock.now() - olderThanMs;
  let removed = 0;
  for (let at: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {}; at !== undefined;) {
    const marker: object = at;
    const page = await sdk.send(
      (s3) => new s3.ListMultipartUploadsCommand({ Bucket: settings.bucket, ...(settings.prefix === "" ? {} : { Prefix: settings.prefix }), ...marker }),
      { signal },
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      // Without a time nobody knows how old it is.
      if (Key === undefined || UploadId === undefined || Initiated === undefined || Initiated.getTime() >= before) continue;
      try {
        await sdk.send((s3) => new s3.AbortMultipartUploadCommand({ Bucket: settings.bucket, Key, UploadId }), { signal });
        removed++;
      } catch (error) {
        if (!isFailure(error, 404)) throw error;
      }
    }
    // The last one is the marker: the service's own is empty on Swift, and escaped otherwise than the keys on Ceph.
    const last = page.Uploads?.at(-1);
    if (page.IsTruncated === true && (last === undefined || (last.Key === at.KeyMarker && last.UploadId === at.UploadIdMarker)))
      throw new StoreError("unavailable", "the service gives the same page again and again");
    at = page.IsTruncated === true ? { KeyMarker: last?.Key, UploadIdMarker: last?.UploadId } : undefined;
  }
  return removed;
}

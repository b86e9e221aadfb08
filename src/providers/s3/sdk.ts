/**
 * The AWS client, kept on a short leash: no retries of its own, checksums only where the protocol demands them, errors as plain facts.
 *
 *   const sdk = new Sdk(session, clientModule);
 *   const { UploadId } = await sdk.send((s3) => new s3.CreateMultipartUploadCommand({ Bucket, Key }), { signal });
 *
 * What its defaults would do is in docs/providers/s3.md; each guard has a test in test/providers/s3/sdk-defects.test.ts.
 */
import { createHash } from "node:crypto";
import type * as Client from "@aws-sdk/client-s3";
import { StoreError } from "../../store/index.ts";
import type { S3Credentials } from "./credentials.ts";
import { isFailure, S3Failure, sizeFromContentRange } from "./failure.ts";
import type { loadClient } from "./load.ts";
import type { SdkKnowledge, Session } from "./session.ts";

export type ClientModule = Awaited<ReturnType<typeof loadClient>>;

/** What the SDK finds out by itself: environment, profiles, web identity, containers, instances; regions; endpoints. */
export function knowledgeOf(load: () => Promise<ClientModule>): SdkKnowledge {
  let plain: Promise<Client.S3Client> | undefined;
  const client = (): Promise<Client.S3Client> => (plain ??= load().then((s3) => new s3.S3Client({ maxAttempts: 1 })));
  return {
    async credentials(): Promise<S3Credentials> {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await (await client()).config.credentials();
      return { accessKeyId, secretAccessKey, sessionToken, expiresMs: expiration?.getTime() };
    },
    async region(): Promise<string> {
      try {
        return await (await client()).config.region();
      } catch (error) {
        throw new StoreError("config", "no region: give one, or set AWS_REGION", { cause: error });
      }
    },
    async bucketUrl(bucket: string, region: string): Promise<URL> {
      const { config } = await client();
      const { url } = config.endpointProvider({
        Bucket: bucket,
        Region: region,
        UseFIPS: await config.useFipsEndpoint(),
        UseDualStack: await config.useDualstackEndpoint(),
      });
      return new URL(url);
    },
    forget(): void {
      plain = undefined;
    },
  };
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** The body is a stream: it cannot go out twice, and it may take any time. */
  readonly streaming?: boolean | undefined;
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

export class Sdk {
  readonly module: ClientModule;
  readonly #session: Session;
  #made: { readonly generation: number; readonly client: Client.S3Client } | undefined;

  constructor(session: Session, module: ClientModule) {
    this.#session = session;
    this.module = module;
  }

  async send<I extends Client.ServiceInputTypes, O extends Client.ServiceOutputTypes>(
    make: (s3: ClientModule) => CommandOf<I, O>,
    options: SendOptions = {},
  ): Promise<O> {
    try {
      return await this.#sendOnce(make(this.module), options);
    } catch (error) {
      const failure = failureOf(error);
      if (options.streaming === true || !isFailure(failure) || !this.#session.learn(failure)) throw failure;
    }
    return await this.#sendOnce(make(this.module), options).catch((error: unknown) => {
      throw failureOf(error);
    });
  }

  async client(): Promise<Client.S3Client> {
    const { generation, settings, credentials } = this.#session;
    if (this.#made?.generation === generation) return this.#made.client;
    const region = await this.#session.region();
    // Somebody else may have made it while the region was asked for: a client that nobody closes keeps its sockets.
    if (this.#made?.generation === generation) return this.#made.client;
    const client = new this.module.S3Client({
      region,
      ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint.href }),
      forcePathStyle: this.#session.vendor.pathStyle,
      credentials: async () => {
        const { expiresMs, accessKeyId, secretAccessKey, sessionToken } = await credentials.get();
        return {
          accessKeyId,
          secretAccessKey,
          ...(sessionToken === undefined ? {} : { sessionToken }),
          ...(expiresMs === undefined ? {} : { expiration: new Date(expiresMs) }),
        };
      },
      // A lost answer to a conditional write, sent again, would turn an own success into a failure.
      maxAttempts: 1,
      // Its default wraps known lengths into aws-chunked with a trailer, which Ceph answers with 411 and Swift with 501.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      followRegionRedirects: false,
      // From 2 MiB on it asks for "100 Continue", and waits for it as long as for an answer: a minute for each part where nobody says it.
      expectContinueHeader: false,
      // Everything that it would write to the console is thrown as well.
      logger: SILENT,
      requestHandler: {
        connectionTimeout: settings.connectTimeoutMs,
        // Without `throwOnRequestTimeout` it only writes a warning and waits on.
        requestTimeout: settings.answerTimeoutMs,
        throwOnRequestTimeout: true,
        socketTimeout: settings.idleTimeoutMs,
        // Unread bodies hold their sockets: with its 50 the fifty-first call would wait for ever.
        httpAgent: { keepAlive: true, maxSockets: Infinity },
        httpsAgent: { keepAlive: true, maxSockets: Infinity },
      },
    });
    addContentMd5(client);
    if (!this.#session.vendor.locationConstraint) leaveOutLocation(client);
    this.#made?.client.destroy();
    this.#made = { generation, client };
    return client;
  }

  close(): void {
    this.#made?.client.destroy();
    this.#made = undefined;
  }

  async #sendOnce<I extends Client.ServiceInputTypes, O extends Client.ServiceOutputTypes>(
    command: CommandOf<I, O>,
    { signal, streaming }: SendOptions,
  ): Promise<O> {
    const client = await this.client();
    return await client.send(command as never, {
      ...(signal === undefined ? {} : { abortSignal: signal }),
      ...(streaming === true ? { requestTimeout: 0 } : {}),
    });
  }
}

/** A command of the SDK, by its input and output; its own type is wider than anyone here needs. */
export interface CommandOf<I extends object, O extends object> {
  readonly input: I;
  resolveMiddleware(...given: never[]): (...given: never[]) => Promise<{ output: O }>;
}

/** The SDK sends a CRC32 with a bulk deletion, in every mode, and never the MD5 that Swift demands. */
function addContentMd5(client: Client.S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      const request = args.request as { headers?: Record<string, string>; body?: unknown };
      if (
        context.commandName === "DeleteObjectsCommand" &&
        request.headers !== undefined &&
        (typeof request.body === "string" || request.body instanceof Uint8Array)
      ) {
        request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
      }
      return next(args);
    },
    { step: "build", name: "stratusContentMd5" },
  );
}

/** The SDK puts any region but us-east-1 into the body of CreateBucket. Its middleware comes with the command, so what it did is undone. */
function leaveOutLocation(client: Client.S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) =>
      next(context.commandName === "CreateBucketCommand" ? { ...args, input: { ...args.input, CreateBucketConfiguration: undefined } } : args),
    { step: "serialize", priority: "high", name: "stratusNoLocation" },
  );
}

/** What the SDK throws for an answer becomes the same facts as those of the direct transport; errors without an answer stay what they are. */
export function failureOf(error: unknown): unknown {
  const { $metadata, $response, name, message } = (error ?? {}) as {
    $metadata?: { httpStatusCode?: number };
    $response?: { headers?: Record<string, string> };
    name?: string;
    message?: string;
  };
  const status = $metadata?.httpStatusCode;
  if (status === undefined || isFailure(error)) return error;
  const headers = $response?.headers ?? {};
  const given = error as { Code?: unknown; Region?: unknown; ActualObjectSize?: unknown };
  const code = typeof given.Code === "string" ? given.Code : name;
  const size = Number(given.ActualObjectSize ?? Number.NaN);
  return new S3Failure({
    // An error inside of a 200 keeps that status here; by its code it is what it is.
    status: status >= 300 ? status : 500,
    // Made-up names of answers without a body: the status says what there is to say.
    code: code === undefined || /^(?:Unknown|UnknownError|Error|NotFound|NotModified|\d+|304)$/.test(code) || code === "S3ServiceException" ? "" : code,
    message,
    retryAfter: headers["retry-after"],
    region: headers["x-amz-bucket-region"] ?? (typeof given.Region === "string" ? given.Region : undefined),
    size: sizeFromContentRange(headers["content-range"]) ?? (Number.isSafeInteger(size) ? size : undefined),
    cause: error,
  });
}

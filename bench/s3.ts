/**
 * S3 on a Ceph gateway of our own: small objects at 32 in flight, 256 MiB up and down, beside the AWS SDK used directly, lib-storage, OpenDAL
 * and rclone. All of them in this process (rclone aside) against one server, in interleaved rounds.
 */
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { Operator } from "opendal";
import { s3 } from "../src/providers/s3/index.ts";
import { fromFile } from "../src/store/index.ts";
import { startServer } from "../test/servers/index.ts";
import type { FigureSet } from "./figure.ts";
import { figure, measure, median } from "./measure.ts";
import { rcloneToCeph } from "./rclone.ts";

const WIDTH = 32;
const OBJECTS = 256;
const SMALL = 4096;
const MiB = 1024 ** 2;
const LARGE = 256 * MiB;
/** As a user of a gateway that refuses aws-chunked trailers sets them; the defaults cost the SDK a CRC32 more. */
const PLAIN = { requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" } as const;

export const figures: FigureSet = {
  name: "s3",
  async run(report) {
    await using ceph = await startServer("ceph");
    const directory = await mkdtemp(join(tmpdir(), "stratus-bench-s3-"));
    const bucket = "bench";
    const { endpoint, region, accessKeyId, secretAccessKey } = ceph;
    await using store = s3({ bucket, endpoint, region, vendor: "ceph", createBucket: true, credentials: { accessKeyId, secretAccessKey } });
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey }, ...PLAIN });
    const operator = new Operator("s3", {
      bucket,
      endpoint,
      region,
      access_key_id: accessKeyId,
      secret_access_key: secretAccessKey,
      disable_config_load: "true",
      disable_ec2_metadata: "true",
    });
    try {
      const body = new Uint8Array(SMALL).fill(7);
      const name = (i: number): string => `small/o${i % OBJECTS}`;
      for (let i = 0; i < OBJECTS; i += WIDTH) await Promise.all(Array.from({ length: WIDTH }, (_, j) => store.write(`/${name(i + j)}`, body)));
      const whole = (bytes: number): void => {
        if (bytes !== SMALL) throw new Error(`${bytes} bytes instead of ${SMALL}`);
      };
      const options = { width: WIDTH, roundMs: 1_000, rounds: 6 };

      const get = await measure(
        {
          ours: async (i) => whole((await (await store.read(`/${name(i)}`)).bytes()).byteLength),
          "AWS SDK": async (i) =>
            whole((await (await client.send(new GetObjectCommand({ Bucket: bucket, Key: name(i) }))).Body?.transformToByteArray())?.byteLength ?? 0),
          OpenDAL: async (i) => whole((await operator.read(name(i))).byteLength),
        },
        options,
      );
      report(figure("GET 4 KiB, 32 in flight", get, "ours", "AWS SDK", { least: 2 }));
      report(figure("GET 4 KiB, 32 in flight", get, "ours", "OpenDAL", { least: 1 }));

      const head = await measure(
        {
          ours: async (i) => whole((await store.stat(`/${name(i)}`)).size ?? 0),
          "AWS SDK": async (i) => whole((await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name(i) }))).ContentLength ?? 0),
          OpenDAL: async (i) => whole(Number((await operator.stat(name(i))).contentLength ?? 0)),
        },
        options,
      );
      report(figure("HEAD, 32 in flight", head, "ours", "AWS SDK", { least: 2 }));
      report(figure("HEAD, 32 in flight", head, "ours", "OpenDAL", { least: 1 }));

      const put = await measure(
        {
          ours: (i) => store.write(`/${name(i)}`, body),
          "AWS SDK": (i) => client.send(new PutObjectCommand({ Bucket: bucket, Key: name(i), Body: body })),
          OpenDAL: (i) => operator.write(name(i), Buffer.from(body)),
        },
        options,
      );
      report(figure("PUT 4 KiB, 32 in flight", put, "ours", "AWS SDK", { least: 1.3 }));
      report(figure("PUT 4 KiB, 32 in flight", put, "ours", "OpenDAL", { least: 1 }));

      const file = join(directory, "large");
      await fill(file, LARGE);
      const rclone = rcloneToCeph(ceph);
      const up = await transfer(
        {
          ours: async () => void (await store.write("/large/ours", await fromFile(file))),
          "lib-storage": async () =>
            void (await new Upload({ client, params: { Bucket: bucket, Key: "large/sdk", Body: createReadStream(file, { highWaterMark: MiB }) } }).done()),
          OpenDAL: async () => {
            const writer = await operator.writer("large/opendal", { chunk: BigInt(8 * MiB), concurrent: 4 });
            for await (const chunk of createReadStream(file, { highWaterMark: MiB })) await writer.write(chunk as Buffer);
            await writer.close();
          },
          rclone: async () => void (await rclone("copyto", "--ignore-times", file, `ceph:${bucket}/large/rclone`)),
        },
        () => collectGarbage(ceph.home),
      );
      for (const against of ["lib-storage", "OpenDAL", "rclone"] as const)
        report(figure("256 MiB up", up, "ours", against, { least: 1, unit: "MiB/s", perCall: LARGE / MiB }));

      const complete = (bytes: number): void => {
        if (bytes !== LARGE) throw new Error(`${bytes} bytes instead of ${LARGE}`);
      };
      const down = await transfer(
        {
          ours: async () => {
            let bytes = 0;
            for await (const chunk of await store.read("/large/ours")) bytes += chunk.byteLength;
            complete(bytes);
          },
          "AWS SDK": async () => {
            let bytes = 0;
            const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "large/ours" }));
            for await (const chunk of Body as AsyncIterable<Uint8Array>) bytes += chunk.byteLength;
            complete(bytes);
          },
          OpenDAL: async () => {
            let bytes = 0;
            const reader = await operator.reader("large/ours");
            const buffer = Buffer.alloc(MiB);
            for (let read = Number(await reader.read(buffer)); read > 0; read = Number(await reader.read(buffer))) bytes += read;
            complete(bytes);
          },
          rclone: async () => complete(await rclone("cat", `ceph:${bucket}/large/ours`)),
        },
        async () => {},
      );
      for (const against of ["AWS SDK", "OpenDAL", "rclone"] as const)
        report(figure("256 MiB down", down, "ours", against, { least: 1, unit: "MiB/s", perCall: LARGE / MiB }));
    } finally {
      client.destroy();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

/** Transfers per second of each: the median of interleaved rounds, the first of which warms up. `after` is not timed. */
async function transfer<N extends string>(
  contenders: Readonly<Record<N, () => Promise<void>>>,
  after: () => Promise<void>,
): Promise<Readonly<Record<N, number>>> {
  const names = Object.keys(contenders) as N[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<N, number[]>;
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] as N;
      const start = performance.now();
      await contenders[name]();
      if (round > 0) rates[name].push(1000 / (performance.now() - start));
      await after();
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(rates[name])])) as Record<N, number>;
}

async function fill(path: string, bytes: number): Promise<void> {
  await using file = await open(path, "wx");
  const chunk = Buffer.alloc(MiB);
  for (let i = 0; i < bytes / MiB; i++) await file.write(chunk.fill(i));
}

/** Ceph keeps what was overwritten for two hours; its memory would be full after a few rounds. */
async function collectGarbage(home: string): Promise<void> {
  await promisify(execFile)("radosgw-admin", ["-c", join(home, "ceph.conf"), "gc", "process", "--include-all"]);
}

import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeSigner, NodeSha256 } from "../../../src/providers/s3/sign.ts";
import { manualClock } from "../../../src/store/index.ts";

test("the hashes given to the signer are those of node:crypto, for keys and data of any length", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }),
      fc.boolean(),
      async (key, pieces, asText) => {
        const secret = asText ? Buffer.from(key).toString("latin1") : key;
        const plain = new NodeSha256();
        const keyed = new NodeSha256(secret);
        for (const piece of pieces) {
          plain.update(piece);
          keyed.update(piece);
        }
        const data = Buffer.concat(pieces);
        expect(Buffer.from(await plain.digest()).toString("hex")).toBe(createHash("sha256").update(data).digest("hex"));
        expect(Buffer.from(await keyed.digest()).toString("hex")).toBe(createHmac("sha256", secret).update(data).digest("hex"));
      },
    ),
    { numRuns: 500 },
  );
});

const clock = manualClock(Date.parse("2013-05-24T00:00:00Z"));
const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

test("the worked example of AWS's documentation comes out the same", async () => {
  const signer = makeSigner(SignatureV4, new URL("https://examplebucket.s3.amazonaws.com"), "us-east-1", () => credentials, clock);
  const headers = await signer.sign({ method: "GET", path: "/test.txt", query: {}, headers: { range: "bytes=0-9" }, body: undefined });
  expect(headers["authorization"]).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
});

test("a body is covered by the signature: always over plain HTTP, over TLS while it is small, never a stream", async () => {
  const hashOf = async (base: string, body: Uint8Array | "stream"): Promise<string | undefined> =>
    (await makeSigner(SignatureV4, new URL(base), "us-east-1", () => credentials, clock).sign({ method: "PUT", path: "/b/k", query: {}, headers: {}, body }))[
      "x-amz-content-sha256"
    ];
  const large = new Uint8Array(100_000);
  const sum = createHash("sha256").update(large).digest("hex");
  expect(await hashOf("http://x", large)).toBe(sum);
  expect(await hashOf("https://x", large)).toBe("UNSIGNED-PAYLOAD");
  expect(await hashOf("https://x", large.subarray(0, 1000))).toBe(createHash("sha256").update(large.subarray(0, 1000)).digest("hex"));
  expect(await hashOf("http://x", "stream")).toBe("UNSIGNED-PAYLOAD");
});

/** A name for a new bucket: `bucketName("My Photos")` is "my-photos-4f0k2v9x", legal everywhere, and hardly taken. */

/** 3 to 63 characters of a-z, 0-9 and dashes, with a random tail: names of buckets are taken by all accounts of a service together. */
export function bucketName(base: string, random: () => number = Math.random): string {
  const tail = Array.from({ length: 8 }, () => Math.floor(random() * 36).toString(36)).join("");
  const plain = base
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 54)
    .replaceAll(/^-+|-+$/g, "");
  return `${plain === "" ? "bucket" : plain}-${tail}`;
}

/** Bodies that must hash to what was promised (behaviours 69, 111). */
import type { HashName } from "../../store/index.ts";
import { equal, pattern, pieces, rejects } from "../assert.ts";
import type { Check } from "../check.ts";
import { hashOf } from "../hash-of.ts";
import { base } from "./base.ts";
import { holds, rwl } from "./look.ts";
import { changesNothing } from "./sources-help.ts";

const hashes: readonly HashName[] = ["md5", "sha1", "sha256", "sha512", "crc32c", "dropbox"];

export const checks: readonly Check[] = [
  {
    id: "sources.expect",
    title: "bytes are stored when they hash to what was expected, and refused with integrity when they do not, for every hash and every body",
    why: "A hash that is accepted and not compared is worse than none. Or it is compared after the commit: refused, and stored all the same.",
    tier: "full",
    behaviours: [69, 111],
    guarantees: ["write.expect", "write.failed"],
    rows: ["CF6"],
    kills: ["M23", "M23b"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      const bytes = pattern(70_000, "expect");
      const flipped = bytes.slice();
      flipped[69_999] = flipped[69_999]! ^ 1;
      const d = await base(t);
      for (const name of hashes) {
        const right = hashOf(name, bytes);
        for (const body of [bytes, pieces(bytes, 9_000)]) {
          await t.store.write(`${d}/${name}`, body, { size: bytes.length, expect: { [name]: right } });
          await holds(t, `${d}/${name}`, bytes, `${name}: what hashes right is stored`);
        }
        await changesNothing(t, async (path) => {
          for (const body of [flipped, pieces(flipped, 9_000)]) {
            await rejects(
              "integrity",
              () => t.store.write(path, body, { size: bytes.length, expect: { [name]: right } }),
              `${name}: one bit differs from what was hashed`,
            );
          }
        });
      }
      await changesNothing(t, async (path) => {
        await rejects(
          "integrity",
          () => t.store.write(path, bytes, { expect: { sha256: hashOf("sha256", bytes), md5: hashOf("md5", flipped) } }),
          "of two expected hashes one is wrong",
        );
        await rejects("integrity", () => t.store.write(path, "", { expect: { sha256: hashOf("sha256", bytes) } }), "an empty body where bytes were expected");
      });
    },
  },
  {
    id: "sources.expect.smoke",
    title: "a wrong hash is integrity and nothing is stored",
    why: "The one promise that protects against every bug above the service, and the first that adapters drop for services that cannot check it.",
    tier: "smoke",
    behaviours: [69],
    guarantees: ["write.expect", "write.failed"],
    kills: ["M23", "M23b"],
    needs: rwl,
    timeoutMs: 90_000,
    async run(t) {
      const bytes = pattern(30_000, "expect");
      await changesNothing(t, async (path) => {
        const error = await rejects(
          "integrity",
          () => t.store.write(path, bytes, { expect: { sha256: hashOf("sha256", pattern(30_000, "other")) } }),
          "bytes that hash to something else",
        );
        equal(error.applied, false, "the error says that nothing was applied");
      });
      await changesNothing(t, async (path) => {
        await rejects(
          "integrity",
          () => t.store.write(path, pieces(bytes, 7_000), { size: bytes.length, expect: { md5: "0".repeat(32) } }),
          "a stream that hashes to something else",
        );
      });
    },
  },
];

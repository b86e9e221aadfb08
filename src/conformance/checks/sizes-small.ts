/** Nothing, every byte value, a mebibyte, sizes that are not told (behaviours 31, 38, 41). */
import { binary, equal, probed, readAll } from "../assert.ts";
import type { Check } from "../check.ts";
import { absent, base, below, room, stats, unknownRoom } from "./base.ts";
import { each } from "./each.ts";
import { holds, lists, put, rw, rwld } from "./look.ts";
import { mib, roundTrip } from "./sizes-help.ts";

export const checks: readonly Check[] = [
  {
    id: "sizes.zero",
    title: "an empty file is a file: it is there, has no bytes, is listed, read, ranged and copied",
    why: '"" is false in most languages: empty files read as missing, are never sent, or come back as a directory marker. All four small suites we measured let that through.',
    tier: "smoke",
    behaviours: [31, 51],
    guarantees: ["write.replaces", "read.whole", "stat.file", "read.range.clamped"],
    rows: ["CF7"],
    kills: ["A49", "M10", "M10b"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const nothing = new Uint8Array();
      const bodies = { string: "", bytes: nothing, stream: probed(() => undefined), blob: new Blob([]) };
      // A stream says that it is empty where the store wants to know.
      const size = t.capabilities.writeUnknownSize === false ? { size: 0 } : {};
      for (const [name, body] of Object.entries(bodies)) {
        const path = `${d}/x/${name}`;
        await put(t, path, body, size);
        await stats(t, path, (entry) => {
          equal(entry.kind, "file", `an empty ${name} makes a file`);
          equal(entry.size, 0, `an empty ${name} has size 0`);
        });
        await holds(t, path, nothing, `an empty ${name} reads as nothing`);
        equal(
          (
            await readAll(t.store, path, { range: { offset: 0, length: 10 } }).catch((error: unknown) =>
              t.capabilities.readRange === false ? nothing : Promise.reject(error as Error),
            )
          ).length,
          0,
          "a range from 0 of an empty file is empty",
        );
      }
      await lists(t, `${d}/x`, Object.keys(bodies), "empty files are listed");
      if (t.capabilities.copy !== false) {
        await t.store.copy(`${d}/x/bytes`, `${d}/y/copy`);
        await holds(t, `${d}/y/copy`, nothing, "a copy of an empty file is empty");
      }
      await t.store.delete(`${d}/x/bytes`);
      await absent(t, `${d}/x/bytes`, "an empty file can be deleted");
    },
  },
  {
    id: "sizes.mebibyte",
    title: "a mebibyte of random bytes comes back identical",
    why: "The oldest acceptance test of the seed: what is stored is what is returned.",
    tier: "smoke",
    behaviours: [1, 38],
    guarantees: ["read.whole", "stat.file"],
    rows: ["CF3"],
    kills: ["M13"],
    needs: rw,
    async run(t) {
      const path = `${await base(t)}/random.bin`;
      const bytes = new Uint8Array(room(t, mib));
      for (let i = 0; i < bytes.length; i++) bytes[i] = below(t, 256);
      await put(t, path, bytes);
      await holds(t, path, bytes, "a mebibyte of random bytes");
      await stats(t, path, (entry) => equal(entry.size, bytes.length, "its size"));
    },
  },
  {
    id: "sizes.bytes.all",
    title: "every byte value and no valid UTF-8 comes back unchanged",
    why: 'Bytes that pass through a text decoder become U+FFFD; a UTF-8 BOM is eaten; CR LF is "repaired".',
    tier: "smoke",
    behaviours: [38],
    guarantees: ["read.whole"],
    rows: ["CF3"],
    kills: ["M14", "M14b"],
    needs: rw,
    async run(t) {
      const d = await base(t);
      const contents = {
        all: Uint8Array.from({ length: 256 }, (_, i) => i),
        high: Uint8Array.from({ length: 300 }, (_, i) => 0x80 + (i % 128)),
        random: binary(5000, "bytes"),
        lines: new TextEncoder().encode("\ufeffone\r\ntwo\nthree\r\0four\u001a"),
        cut: Uint8Array.from([0xe2, 0x82, 0xac, 0xe2, 0x82]),
        zip: Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      };
      for (const [name, bytes] of Object.entries(contents)) await put(t, `${d}/x/${name}.bin`, bytes);
      for (const [name, bytes] of Object.entries(contents)) await holds(t, `${d}/x/${name}.bin`, bytes, `${name}: the bytes are unchanged`);
    },
  },
  {
    id: "sizes.unknown",
    title: "a stream of unknown size is stored whole, empty and single bytes included",
    why: "Without a length services want chunked encoding, sessions or parts; the empty stream and the one that ends exactly at a border are where these go wrong.",
    tier: "smoke",
    behaviours: [41],
    guarantees: ["write.unknownSize", "read.whole"],
    rows: ["CF5"],
    kills: ["M12"],
    needs: [...rw, "writeUnknownSize"],
    async run(t) {
      const d = await base(t);
      const lengths = [0, 1, 100, 65_535, 65_536, 65_537, 300_000].map((length) => unknownRoom(t, length));
      await each(
        t,
        [...new Set(lengths)],
        (length) => `${length} bytes`,
        async (length) => {
          await roundTrip(t, `${d}/x/f${length}`, length, false);
        },
      );
    },
  },
];

/** What a service is like, measured: the facts among the capabilities that are no yes or no. Each gives what was found, in the words of the declaration. */
import { hasCode } from "../../store/index.ts";
import type { Capabilities, Store } from "../../store/index.ts";
import { byCodePoint, names, pattern } from "../assert.ts";
import type { Ground } from "./abilities.ts";

export interface Fact {
  readonly found: string;
  /** It contradicts what is declared. */
  readonly broken: boolean;
  /** More than is declared: could be claimed, as far as this look goes. */
  readonly more: boolean;
}
export type Measure = (ground: Ground) => Promise<Fact | undefined>;

const fact = (found: string, broken: boolean, more = false): Fact => ({ found, broken, more });

async function there(store: Store, path: string): Promise<boolean> {
  try {
    await store.stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, "not-found", "invalid-path", "not-a-directory")) return false;
    throw error;
  }
}
async function accepts(store: Store, path: string): Promise<boolean> {
  try {
    await store.write(path, pattern(16, "name"));
  } catch {
    // Whatever it says: the name is not taken.
    return false;
  }
  return await there(store, path);
}

/** Times that a service keeps or makes, to the largest unit that divides them all. */
function precisionOf(times: readonly number[]): number {
  for (const unit of [86_400_000, 60_000, 2000, 1000, 100, 10]) if (times.every((time) => time % unit === 0)) return unit;
  return 1;
}

export const facts: Readonly<Partial<Record<keyof Capabilities, Measure>>> = {
  async etag({ store, dir }) {
    await store.write(`${dir}/a`, "x");
    const answers = [(await store.stat(`${dir}/a`)).etag, (await store.list(dir).toArray())[0]?.etag ?? null];
    const all = answers.every((etag) => etag !== null);
    return fact(
      all ? "stat and list" : answers.some((etag) => etag !== null) ? "some answers" : "no answer",
      store.capabilities.etag && !all,
      !store.capabilities.etag && all,
    );
  },
  async hashes({ store, dir }) {
    await store.write(`${dir}/a`, "x");
    const found = Object.keys((await store.stat(`${dir}/a`)).hashes).sort();
    const declared = [...store.capabilities.hashes].sort();
    return fact(
      found.join(", ") || "none",
      declared.some((name) => !found.includes(name)),
      found.some((name) => !(declared as readonly string[]).includes(name)),
    );
  },
  async listComplete({ store, dir }) {
    await store.write(`${dir}/a`, "x");
    const complete = (await store.list(dir).toArray()).every((entry) => entry.complete);
    return fact(complete ? "complete" : "not complete", store.capabilities.listComplete && !complete, !store.capabilities.listComplete && complete);
  },
  async listSorted({ store, dir }) {
    for (const name of ["b", "a", "C", "a-", "é", "Z", "10", "9", "a!", "😀", "\uff5e"]) await store.write(`${dir}/${name}`, "x");
    const found = (await store.list(dir).toArray()).map((entry) => entry.path.slice(dir.length + 1));
    const sorted = found.every((name, index) => index === 0 || byCodePoint(found[index - 1] as string, name) < 0);
    return fact(sorted ? "in code-point order" : "in another order", store.capabilities.listSorted && !sorted, !store.capabilities.listSorted && sorted);
  },
  async modifiedPrecisionMs({ store, dir }) {
    const declared = store.capabilities.modifiedPrecisionMs;
    const times: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      const path = `${dir}/${i}`;
      await store.write(path, "x", store.capabilities.writeModified === false ? {} : { modifiedMs: 1_700_000_000_123 + i * 1_001_007 });
      const { modifiedMs } = await store.stat(path);
      if (modifiedMs !== null) times.push(modifiedMs);
      // Of its own clock: far enough apart that whole seconds by chance are out of the question.
      if (store.capabilities.writeModified === false) await new Promise((next) => setTimeout(next, 217));
    }
    if (times.length === 0) return fact("no modified time", declared !== null);
    const found = precisionOf(times);
    return fact(`${found} ms`, declared !== null && found > declared, declared === null || found < declared);
  },
  async caseSensitive({ store, dir }) {
    await store.write(`${dir}/Probe-Case.txt`, "x");
    const folded = await there(store, `${dir}/pROBE-cASE.TXT`);
    return fact(folded ? "folds case" : "keeps case apart", store.capabilities.caseSensitive === folded);
  },
  async normalisation({ store, dir }) {
    const composed = "\u00e9-\ufb01.txt";
    await store.write(`${dir}/${composed}`, "x");
    const listed = names(await store.list(dir).toArray())[0] ?? "";
    const found =
      listed === composed
        ? (await there(store, `${dir}/${composed.normalize("NFD")}`))
          ? "kept, but looked up in any form"
          : "kept"
        : listed === composed.normalize("NFKC")
          ? "nfkc"
          : listed === composed.normalize("NFC")
            ? "nfc"
            : listed === composed.normalize("NFD")
              ? "nfd"
              : `another name: ${JSON.stringify(listed)}`;
    return fact(found, found !== store.capabilities.normalisation);
  },
  async forbidden({ store, dir }) {
    const refused: string[] = [];
    for (let code = 1; code < 127; code += 1) {
      const character = String.fromCharCode(code);
      if (character === "/" || store.capabilities.forbidden.includes(character)) continue;
      if (!(await accepts(store, `${dir}/a${character}b`))) refused.push(character);
    }
    return fact(refused.length === 0 ? "all other ASCII characters are taken" : `also refused: ${JSON.stringify(refused.join(""))}`, refused.length > 0);
  },
  async maxNameBytes({ store, dir }) {
    const { maxNameBytes, maxPathBytes } = store.capabilities;
    const room = maxPathBytes - Buffer.byteLength(dir) - 1;
    const most = Math.min(maxNameBytes, room, 8192);
    const fits = async (bytes: number): Promise<boolean> => await accepts(store, `${dir}/${"n".repeat(bytes)}`);
    if (await fits(most)) return fact(most === maxNameBytes ? `${most} bytes are taken` : `${most} bytes are taken (more was not tried)`, false);
    let [low, high] = [1, most];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (await fits(middle)) low = middle;
      else high = middle;
    }
    return fact(`only ${low} bytes`, true);
  },
  async filesAtRoot({ store }) {
    // The front refuses it where it is not declared, so that only a wrong claim can be seen.
    if (!store.capabilities.filesAtRoot) return undefined;
    const taken = await accepts(store, "/probe-at-root.txt");
    return fact(taken ? "files lie in the root" : "no files in the root", !taken);
  },
  async directories({ store, dir }) {
    await store.write(`${dir}/x/a`, "x");
    await store.delete(`${dir}/x/a`);
    const stays = await there(store, `${dir}/x`);
    return fact(stays ? "real" : "implied", (store.capabilities.directories === "real") !== stays);
  },
  async strictHierarchy({ store, dir }) {
    await store.write(`${dir}/a`, "x");
    const below = await accepts(store, `${dir}/a/b`);
    return fact(below ? "a file can be a parent" : "a file is no parent", store.capabilities.strictHierarchy === below);
  },
  async exclusiveMkdir({ store, dir }) {
    if (store.capabilities.mkdir === false) return undefined;
    let rounds = 0;
    for (; rounds < 5; rounds += 1) {
      const made = await Promise.allSettled(Array.from({ length: 4 }, () => store.mkdir(`${dir}/race-${rounds}`)));
      const winners = made.filter((one) => one.status === "fulfilled").length;
      if (winners !== 1) return fact(`${winners} of 4 racing calls succeeded`, store.capabilities.exclusiveMkdir);
    }
    return fact(`one winner in each of ${rounds} races`, false, !store.capabilities.exclusiveMkdir);
  },
  async consistency({ store, dir }) {
    const { read, list, settleMs } = store.capabilities.consistency;
    let slowest = 0;
    for (let i = 0; i < 5; i += 1) {
      const path = `${dir}/f${i}`;
      await store.write(path, "x");
      const start = performance.now();
      const limit = start + Math.max(settleMs, 2000);
      while (!(await there(store, path)) || !(await store.list(dir).toArray()).some((entry) => entry.path === path)) {
        if (performance.now() > limit) return fact(`a new file is not seen after ${Math.round(performance.now() - start)} ms`, true);
        slowest = Math.max(slowest, performance.now() - start);
        await new Promise((next) => setTimeout(next, 20));
      }
    }
    const strong = read === "strong" && list === "strong";
    return fact(slowest === 0 ? "seen at once, five times" : `seen after up to ${Math.round(slowest)} ms`, slowest > 0 && strong, slowest === 0 && !strong);
  },
};

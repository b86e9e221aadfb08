/** (g) Repacking and index rebuild of 1,000,000 members, and (h) memory while 100,000 small files and one of 4 GiB are pending; each in a process of its own, whose peak is told. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Figure } from "./figure.ts";
import { scaled } from "./scale.ts";
import type { Told } from "./caching-scale-child.ts";

export async function scaleFigures(report: (figure: Figure) => void): Promise<void> {
  const members = scaled(1_000_000, 1000);
  const named = members.toLocaleString("en-US");
  const directory = await mkdtemp(join(tmpdir(), "stratus-bench-scale-"));
  try {
    const plain = (name: string, value: number, unit: string, against = ""): void => report({ name, value, unit, against, ratio: NaN, goal: null, met: null });
    for (const step of ["fill", "repack", "rebuild"] as const) {
      const { seconds, requests, peakMiB, note } = await inChild([step, directory, `${members}`]);
      const what = step === "fill" ? "written" : step === "repack" ? "repacked, three fifths of them deleted" : "index rebuilt";
      plain(`(g) ${named} members ${what}`, seconds, "s", `${requests} requests, peak ${peakMiB} MiB${note}`);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const pending = await mkdtemp(join(tmpdir(), "stratus-bench-scale-"));
  try {
    const small = scaled(100_000, 100);
    const large = scaled(4096, 8);
    const { peakMiB, restMiB } = await inChild(["pending", pending, `${small}`, `${large}`]);
    report({
      name: `(h) ${small.toLocaleString("en-US")} small files and one of ${large} MiB pending`,
      value: peakMiB,
      unit: "MiB at peak",
      against: `an empty process, ${restMiB} MiB`,
      ratio: restMiB / peakMiB,
      goal: "below 300 MiB",
      met: peakMiB < 300,
    });
  } finally {
    await rm(pending, { recursive: true, force: true });
  }
}

function inChild(args: readonly string[]): Promise<Told> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "caching-scale-child.ts"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.on("error", fail);
    child.on("close", (code) => (code === 0 ? done(JSON.parse(out) as Told) : fail(new Error(`${args[0]} ended with ${code}`))));
  });
}

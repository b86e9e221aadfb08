/** Runs this Node on a script, with a temporary directory of its own, so that what is left behind can be seen. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the process left in its temporary directory. */
  readonly left: readonly string[];
}

export const cli: string = join(import.meta.dirname, "../../src/cli/stratus.ts");
export const source: string = join(import.meta.dirname, "../../src");
const fixtures = join(import.meta.dirname, "fixtures");

export function fixture(name: string): string {
  return join(fixtures, name);
}

export async function node(args: readonly string[], options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {}): Promise<Ran> {
  const temporary = mkdtempSync(join(tmpdir(), "ct-spawn-"));
  try {
    const child = spawn(process.execPath, args, {
      cwd: options.cwd,
      env: { ...inherited(), TMPDIR: temporary, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const code = await new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
    return { code, stdout, stderr, left: readdirSync(temporary).filter((name) => name !== "node-compile-cache") };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** A child of vitest must not believe that it runs in vitest, nor in the runner that runs the runner. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_|STRATUS_|TEST$|FORCE_COLOR)/.test(name)));
}

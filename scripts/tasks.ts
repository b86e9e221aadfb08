/** Runs commands side by side and tells what came of each: the plain machinery of check, test and package-checks. */
import { spawn } from "node:child_process";
import { styleText } from "node:util";

export interface Task {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Its output is passed on as it comes, instead of being shown only when it fails. */
  readonly live?: boolean;
  /** Nothing is said of it: it is part of another check. */
  readonly quiet?: boolean;
}
export interface Outcome {
  readonly task: Task;
  readonly ok: boolean;
  readonly ms: number;
  readonly output: string;
}

export async function run(task: Task): Promise<Outcome> {
  const start = performance.now();
  const child = spawn(task.command, task.args, { cwd: task.cwd, env: { ...process.env, ...task.env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (task.live === true) process.stdout.write(text);
    });
  const ok = await new Promise<boolean>((done) => {
    child.on("error", (error) => {
      output += String(error);
      done(false);
    });
    child.on("close", (code) => done(code === 0));
  });
  const outcome = { task, ok, ms: performance.now() - start, output };
  if (task.quiet !== true) tell(outcome);
  return outcome;
}

/** A check that is code: passes when it finds nothing wrong. */
export async function assertion(name: string, faults: () => Promise<readonly string[]>): Promise<Outcome> {
  const start = performance.now();
  const found = await faults().catch((error: unknown) => [String(error)]);
  const outcome = { task: { name, command: "", args: [] }, ok: found.length === 0, ms: performance.now() - start, output: found.join("\n") };
  tell(outcome);
  return outcome;
}

function tell({ task, ok, ms, output }: Outcome): void {
  if (!ok && task.live !== true) console.log(output.trimEnd());
  console.log(`${ok ? styleText("green", "✓") : styleText("red", "✗")} ${task.name} ${styleText("dim", `${(ms / 1000).toFixed(1)} s`)}`);
}

/** All at once. */
export async function runAll(tasks: readonly Task[]): Promise<readonly Outcome[]> {
  return Promise.all(tasks.map(run));
}

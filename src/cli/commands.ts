/** Commands as data: parsed, checked and told in one way, for `stratus pool` and `stratus repo`. */
import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";
import type { OnProgress } from "../pool/index.ts";
import { load } from "./load-subject.ts";
import { UsageError } from "./usage.ts";
import { workBar } from "./work-bar.ts";

/** For programs and for people; `good`: exit code 0. */
export interface CommandResult {
  readonly result: unknown;
  readonly text: string;
  readonly good: boolean;
}
export interface Command<T, A> {
  readonly usage: string;
  readonly about: string;
  /** Of arguments after the module. */
  readonly least: number;
  readonly most: number;
  readonly options: readonly (keyof A)[];
  /** `onProgress`: undefined where nobody looks. */
  run(subject: T, args: readonly string[], values: A, onProgress: OnProgress): Promise<CommandResult>;
}
export type Commands<T, A> = Readonly<Record<string, Command<T, A>>>;

interface Common {
  readonly help?: boolean | undefined;
  readonly json?: boolean | undefined;
}
export interface Asked<T, A> {
  readonly name: string;
  readonly command: Command<T, A>;
  readonly module: string;
  readonly rest: readonly string[];
  readonly values: A;
}

/** One line for each, for the help. */
export function usageOf<T, A>(commands: Commands<T, A>): string {
  const width = Math.max(...Object.values(commands).map(({ usage }) => usage.length));
  return Object.values(commands)
    .map(({ usage, about }) => `  ${usage.padEnd(width)}  ${about}`)
    .join("\n");
}

/** Undefined: the help was asked for, and printed. `program`: "stratus pool". @throws UsageError */
export function askedFor<T, A extends Common>(
  program: string,
  args: readonly string[],
  commands: Commands<T, A>,
  options: NonNullable<ParseArgsConfig["options"]>,
  help: string,
): Asked<T, A> | undefined {
  const { values, positionals } = parsed<A>(args, options);
  if (values.help === true) {
    process.stdout.write(help);
    return undefined;
  }
  const [name = "", module, ...rest] = positionals;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(`there is no command "${name}"\n\n${help}`);
  const { least, most } = command;
  if (module === undefined || rest.length < least || rest.length > most) throw new UsageError(`${program} ${command.usage}`);
  for (const option of Object.keys(values) as (keyof A & string)[])
    if (option !== "json" && !command.options.includes(option)) throw new UsageError(`${name} has no option --${option}`);
  return { name, command, module, rest, values };
}

function parsed<A>(args: readonly string[], options: NonNullable<ParseArgsConfig["options"]>): { readonly values: A; readonly positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    return { values: values as A, positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** What a refusal is told by: in JSON, and below its message. */
export interface Refusal {
  readonly json: object;
  readonly more?: string;
}

/** Prints what the work gave, or how it was refused; the exit code. What `refusal` knows nothing of is thrown on. */
export async function told(
  title: string,
  json: boolean,
  work: (onProgress: OnProgress) => Promise<CommandResult>,
  refusal: (error: unknown) => Refusal | undefined,
): Promise<number> {
  const bar = json || !process.stderr.isTTY ? undefined : workBar(process.stderr, title);
  try {
    const { result, text, good } = await work(bar?.show).finally(() => bar?.end());
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : text === "" ? "" : `${text}\n`);
    return good ? 0 : 1;
  } catch (error) {
    const known = refusal(error);
    if (known === undefined) throw error;
    if (json) process.stdout.write(`${JSON.stringify(known.json)}\n`);
    process.stderr.write(`${title}: ${(error as Error).message}\n${known.more ?? ""}`);
    return 1;
  }
}

/** @throws UsageError where the module exports none */
export async function functionOf(specifier: string): Promise<() => unknown> {
  const found = (await load(specifier))["default"];
  if (typeof found !== "function") throw new UsageError(`${specifier} has no default export that is a function`);
  return found as () => unknown;
}

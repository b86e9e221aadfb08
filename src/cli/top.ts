/**
 * `stratus top <module>`: the live view of a store that a module makes and works with. Ends with Ctrl-C, after --for, or when the work is done.
 *
 *   // backup.ts
 *   export default async () => {
 *     const store = stack(s3({ bucket: "backup" }), caching({ directory: "/var/cache/backup" }), stats());
 *     return { store, work: copyBetween(local({ directory: "/home" }), "/", store, "/") };
 *   };
 */
import { parseArgs } from "node:util";
import type { Store } from "../store/index.ts";
import { setting } from "../store/index.ts";
import { top, viewText, views } from "../wrappers/index.ts";
import type { ViewName } from "../wrappers/index.ts";
import { isStore, load } from "./load-subject.ts";
import { UsageError } from "./usage.ts";

const help = `stratus top <module> [options]      show live what a store does

<module> exports, as \`default\`, a Store, a function that returns one, or a function that returns { store, work }, where \`work\` is a promise:
the view ends when it settles. The store is closed at the end. Put stats() on top of the stack to see rates, latencies and errors.

  --interval <time>         between two looks (default 500ms on a terminal, 5s elsewhere)
  --for <time>              end after that: 30s, 5m
  --once                    open it, look once and end, without waiting for the work, or for what is pending
  --view <name>             with --once: stats (default), errors or pending
  --json                    a line of JSON for each look

On a terminal (tmux too) the view is redrawn in place; elsewhere each look is a line.
exit code: 0 ended, 1 the work failed, 2 it could not be run
`;

export async function topCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [module, ...more] = positionals;
  if (module === undefined || more.length > 0) throw new UsageError(`one module is needed\n\n${help}`);
  const view = viewOf(values.view);
  const intervalMs = values.interval === undefined ? undefined : duration("--interval", values.interval);
  const forMs = values.for === undefined ? undefined : duration("--for", values.for);
  const { store, work } = await made(module);
  // After one look nobody waits: what is pending stays on the disk.
  const leaving = values.once && work === undefined ? AbortSignal.abort() : undefined;
  try {
    if (values.once) {
      // What an earlier process left pending is seen when it is open.
      await store.open();
      const data = views(store);
      const found = view === "stats" ? (data.stats() ?? data.reports()) : data[view]();
      process.stdout.write(values.json ? `${JSON.stringify(found)}\n` : `${viewText(store, view)}\n`);
      return 0;
    }
    return await watched(store, work, { intervalMs, forMs, json: values.json });
  } finally {
    await store.close({ signal: leaving });
  }
}

async function watched(
  store: Store,
  work: Promise<unknown> | undefined,
  { intervalMs, forMs, json }: { readonly intervalMs: number | undefined; readonly forMs: number | undefined; readonly json: boolean },
): Promise<number> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const timer = forMs === undefined ? undefined : setTimeout(end, forMs);
  let failure: { readonly error: unknown } | undefined;
  work?.then(end, (error: unknown) => {
    failure = { error };
    end();
  });
  try {
    await top(store, { intervalMs, signal: stop.signal, ...(json ? { mode: "json" } : undefined) });
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
  if (failure === undefined) return 0;
  process.stderr.write(`stratus top: the work failed: ${failure.error instanceof Error ? failure.error.message : String(failure.error)}\n`);
  return 1;
}

async function made(module: string): Promise<{ readonly store: Store; readonly work: Promise<unknown> | undefined }> {
  const exported = (await load(module))["default"];
  const found: unknown = typeof exported === "function" ? await (exported as () => unknown)() : exported;
  if (isStore(found)) return { store: found, work: undefined };
  const { store, work } = (typeof found === "object" && found !== null ? found : {}) as { readonly store?: unknown; readonly work?: unknown };
  if (!isStore(store))
    throw new UsageError(`${module} gives no store: export as \`default\` a Store, a function that returns one, or one that returns { store, work }`);
  if (!(work instanceof Promise)) return { store, work: undefined };
  // Told where the view ends; until then it must not end the process.
  work.catch(() => {});
  return { store, work };
}

function viewOf(name: string): ViewName {
  if (name === "stats" || name === "errors" || name === "pending") return name;
  throw new UsageError(`there is no view "${name}": stats, errors, pending`);
}

function duration(option: string, text: string): number {
  try {
    return setting.ms("", undefined, { min: 1 }).parse(text);
  } catch {
    throw new UsageError(`${option} is a time: 500ms, 30s, 5m`);
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: {
        interval: { type: "string" },
        for: { type: "string" },
        once: { type: "boolean", default: false },
        view: { type: "string", default: "stats" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * The subject of a module that somebody names on the command line: `./my-store.ts`, `./dist/my-store.js` or the name of an installed package.
 *
 *   export default { name: "acme", open: (place) => acme({ bucket: place.id }) };      // a Subject
 *   export default (place) => acme({ bucket: place.id });                              // opens a place of its own each time
 *   export default () => acme({ bucket: "mine" });                                     // one service: the suite keeps to a folder of its own in it
 */
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Subject } from "../conformance/index.ts";
import { StoreError } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { folderSubject } from "./folder-subject.ts";
import { UsageError } from "./usage.ts";

const shapes = "export a Subject ({ name, open }) or a function that returns a Store, as `default` or as `subject`";

export interface Loaded {
  readonly subject: Subject;
  /** The module was a function of nothing: its places are folders that the suite made in one store. */
  readonly inFolders: boolean;
  /** Then: that store itself. */
  readonly base: (() => Promise<Store>) | undefined;
}

/** @throws UsageError for a module that is not there, does not load or exports something else */
export async function loadSubject(specifier: string): Promise<Loaded> {
  const module = await load(specifier);
  const found = module["default"] ?? module["subject"];
  const name = basename(specifier).replace(/\.[cm]?[jt]s$/, "");
  if (typeof found === "function") {
    const open = found as (...args: unknown[]) => Store | Promise<Store>;
    if (open.length > 0) return { subject: { name, open: (place) => open(place) }, inFolders: false, base: undefined };
    const base = async (): Promise<Store> => asStore(await open(), specifier);
    return { subject: await folderSubject(name, base), inFolders: true, base };
  }
  if (isStore(found))
    throw new UsageError(`${specifier} exports a store that is made already. The suite opens and closes many: export a function that makes one`);
  if (typeof found === "object" && found !== null && "open" in found && typeof found.open === "function") {
    const subject = found as Subject;
    return { subject: typeof subject.name === "string" && subject.name !== "" ? subject : { ...subject, name }, inFolders: false, base: undefined };
  }
  throw new UsageError(found === undefined ? `${specifier} has no default export: ${shapes}` : `what ${specifier} exports is no subject: ${shapes}`);
}

/** @throws UsageError for a module that is not there or does not load */
export async function load(specifier: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(specifier);
  const isPath = /^\.{0,2}\//.test(specifier) || existsSync(path);
  if (isPath && !existsSync(path)) throw new UsageError(`there is no file ${path}`);
  try {
    if (isPath) return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
    return await importFrom(specifier, pathToFileURL(`${process.cwd()}/`).href);
  } catch (error) {
    if (StoreError.is(error)) throw error;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new UsageError(`${specifier} could not be loaded:\n${text}`, { cause: error });
  }
}

/** As if the import stood in a file of the working directory: the package of the user's project, not of ours. */
async function importFrom(specifier: string, parentURL: string): Promise<Readonly<Record<string, unknown>>> {
  const hooks = registerHooks({ resolve: (asked, context, next) => (asked === specifier ? next(asked, { ...context, parentURL }) : next(asked, context)) });
  try {
    return (await import(specifier)) as Readonly<Record<string, unknown>>;
  } finally {
    hooks.deregister();
  }
}

function asStore(value: unknown, specifier: string): Store {
  if (isStore(value)) return value;
  throw new UsageError(`the function that ${specifier} exports returns no Store`);
}

export function isStore(value: unknown): value is Store {
  return typeof value === "object" && value !== null && "capabilities" in value && "stat" in value && "layers" in value;
}

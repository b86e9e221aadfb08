/** The arguments of a route, checked as strictly as Dropbox checks them: wrong types, wrong patterns and unknown fields are 400. */
import { badCall } from "./errors.ts";
import type { Json } from "./metadata.ts";
import { WRITE_PATH } from "./names.ts";

type Check = (value: unknown) => string | undefined;
export type Shape = Readonly<Record<string, Check>>;

const named = (test: boolean, what: string): string | undefined => (test ? undefined : what);
export const flag: Check = (value) => named(typeof value === "boolean", `expected boolean, got ${typeof value}`);
export const natural: Check = (value) => named(Number.isSafeInteger(value) && (value as number) >= 0, "expected integer");
export const between =
  (min: number, max: number): Check =>
  (value) =>
    natural(value) ?? named((value as number) >= min && (value as number) <= max, `${String(value)} is not within range [${min}, ${max}]`);
export const text: Check = (value) => named(typeof value === "string", `expected string, got ${typeof value}`);
const pattern =
  (rule: RegExp, said: string): Check =>
  (value) =>
    text(value) ?? named(rule.test(value as string), `'${String(value)}' did not match pattern '${said}'`);
export const rev = pattern(/^[0-9a-f]{9,}$/, "[0-9a-f]+");
export const hash = pattern(/^[0-9a-f]{64}$/, "sha256 hex");
/** DropboxTimestamp: to the second, in UTC. */
export const stamp = pattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "%Y-%m-%dT%H:%M:%SZ");
/** The root can be listed, and nothing else can be done with it. */
export const writePath = pattern(WRITE_PATH, "(/(.|[\\r\\n])*)|(ns:[0-9]+(/.*)?)|(id:.*)");
export const listPath: Check = (value) => {
  if (value === "/") return 'Specify the root folder as an empty string rather than as "/".';
  return value === "" ? undefined : writePath(value);
};
/** Reading takes ids as well (ReadPath). */
const ID = /^id:[\w-]+$/;
export const readPath: Check = (value) => {
  if (value === "") return "The root folder is unsupported.";
  return typeof value === "string" && ID.test(value) ? undefined : writePath(value);
};
export const mode: Check = (value) => {
  if (value === "add" || value === "overwrite") return undefined;
  const { ".tag": tag, update } = (value ?? {}) as { ".tag"?: unknown; update?: unknown };
  if (tag === "add" || tag === "overwrite") return undefined;
  return tag === "update" ? rev(update) : "is not a valid WriteMode";
};
export const sessionType: Check = (value) => {
  const tag = typeof value === "string" ? value : (value as { ".tag"?: unknown } | null)?.[".tag"];
  return named(tag === "sequential" || tag === "concurrent", "is not a valid UploadSessionType");
};
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? undefined : check(value);
export const object =
  (shape: Shape): Check =>
  (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? wrongIn(value as Json, shape) : "expected object";
export const arrayOf =
  (check: Check, most: number): Check =>
  (value) => {
    if (!Array.isArray(value)) return "expected list";
    if (value.length > most) return `list must have at most ${most} items`;
    return value.map((one) => check(one)).find((wrong) => wrong !== undefined);
  };

export const commitShape: Shape = {
  path: writePath,
  mode: optional(mode),
  autorename: optional(flag),
  client_modified: optional(stamp),
  mute: optional(flag),
  strict_conflict: optional(flag),
};
export const cursorShape: Shape = { session_id: text, offset: natural };

function wrongIn(args: Json, shape: Shape): string | undefined {
  for (const key of Object.keys(args)) if (!Object.hasOwn(shape, key)) return `unknown field '${key}'`;
  for (const [key, check] of Object.entries(shape)) {
    const wrong = check(args[key]);
    if (wrong !== undefined) return args[key] === undefined ? `missing required field '${key}'` : `${key}: ${wrong}`;
  }
  return undefined;
}

export function checkArguments(route: string, args: unknown, shape: Shape): Json {
  const wrong = object(shape)(args);
  if (wrong !== undefined) throw badCall(route, `request body: ${wrong}`);
  return args as Json;
}

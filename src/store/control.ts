/** The run-time side of one layer: its settings, described once for options, `configure`, text, documentation and redaction alike. */
import { StoreError } from "./errors.ts";
import type { CallOptions } from "./options.ts";

/** The run-time side of one layer. What a layer adds (`dirty()`, `snapshot()`) are further members of its own Control type. */
export interface Control<S extends object = object> {
  readonly kind: string;
  /** The settings in force now; secrets read "***". */
  readonly settings: Readonly<S>;
  /** In force when it resolves. An unknown key, a wrong value or a setting fixed at the start is `config` and changes nothing. */
  configure(patch: Readonly<Partial<S>>): Promise<void>;
  /** Sends now what calls are waiting for (an open group of an archive); resolves when it is sent. Nothing to send: resolves. `control` makes one that does nothing. */
  flush(options?: CallOptions): Promise<void>;
  /** Flat numbers and words for people, Prometheus and the statistics layer: `{ dirtyFiles: 3, cacheBytes: 1024, uploader: "paused" }`. */
  report(): Readonly<Record<string, number | string | boolean>>;
}
/** One run-time setting. Serves options in code, `configure`, text and config files, documentation and redaction alike. */
export interface Setting<T> {
  readonly about: string;
  readonly initial?: T | undefined;
  /** Accepts text too ("10 MB", "30s", "true"). @throws StoreError `config` */
  parse(value: unknown): T;
  readonly secret?: boolean | undefined;
  /** May be changed while running. Default true. */
  readonly live?: boolean | undefined;
}
/** Every member of the settings type must be described: a forgotten one does not compile. */
export type SettingsOf<S extends object> = { readonly [K in keyof S]-?: Setting<S[K]> };

interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Validates `given` against the description and gives the control that reads and changes it; `changed` is called with the new values before configure resolves. */
export function control<S extends object>(
  kind: string,
  describe: SettingsOf<S>,
  given: Readonly<Partial<S>>,
  changed?: (settings: Readonly<S>) => void | Promise<void>,
): Control<S> {
  const described = describe as Readonly<Record<string, Setting<unknown>>>;
  let values = start(kind, described, given);
  let turn: Promise<void> = Promise.resolve();
  const apply = async (patch: Readonly<Record<string, unknown>>): Promise<void> => {
    const next = Object.freeze({ ...values, ...parsed(kind, described, patch, true) });
    // Until the layer has taken them over the old ones are in force, also where it refuses.
    await changed?.(next as S);
    values = next;
  };
  return {
    kind,
    /** Secrets read "***". */
    get settings(): Readonly<S> {
      return shown(described, values) as S;
    },
    // One change after the other: two patches at once must both be there in the end.
    configure(patch) {
      // A copy: what the caller does with it until its turn comes is no change of ours.
      const copy: Readonly<Record<string, unknown>> = { ...patch };
      const mine = turn.then(() => apply(copy));
      turn = mine.catch(() => {});
      return mine;
    },
    async flush() {},
    report: () => ({}),
  };
}

type Described = Readonly<Record<string, Setting<unknown>>>;
type Values = Readonly<Record<string, unknown>>;

function start(kind: string, described: Described, given: Values): Values {
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(described)) if (setting.initial !== undefined) values[key] = setting.initial;
  return Object.freeze({ ...values, ...parsed(kind, described, given, false) });
}

function parsed(kind: string, described: Described, patch: Values, running: boolean): Values {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    const setting = Object.hasOwn(described, key) ? described[key] : undefined;
    if (setting === undefined) throw new StoreError("config", `${kind} has no setting "${key}"; there are: ${Object.keys(described).join(", ") || "none"}`);
    if (running && setting.live === false) throw new StoreError("config", `${kind}.${key} is fixed at the start`);
    if (setting.secret === true && value === HIDDEN) {
      // What `settings` shows may be given back to a layer that has the secret, and to no other.
      if (running) continue;
      throw new StoreError("config", `${kind}.${key} is hidden: "${HIDDEN}" is what is shown of a secret, not the secret`);
    }
    out[key] = parsedOne(`${kind}.${key}`, setting, value);
  }
  return out;
}

/** Of a secret nothing is told, not even by whatever went wrong with it. */
function parsedOne(name: string, setting: Setting<unknown>, value: unknown): unknown {
  try {
    return setting.parse(value);
  } catch (error) {
    if (setting.secret === true) throw new StoreError("config", `${name} is not valid`);
    throw new StoreError("config", `${name}: ${StoreError.is(error) ? error.reason : "not valid"}`, { cause: StoreError.is(error) ? error.cause : error });
  }
}

const HIDDEN = "***";

function shown(described: Described, values: Values): Values {
  const secrets = Object.keys(values).filter((key) => described[key]?.secret === true);
  return secrets.length === 0 ? values : Object.freeze({ ...values, ...Object.fromEntries(secrets.map((key) => [key, HIDDEN])) });
}

function wrong(what: string): StoreError {
  return new StoreError("config", what);
}

function number(about: string, unit: string, units: Readonly<Record<string, number>>, initial: number | undefined, bounds: Bounds): Setting<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  const names = Object.keys(units).filter((name) => name !== "");
  return {
    about,
    initial,
    parse(value) {
      const text = typeof value === "string" ? /^\s*(-?\d+(?:\.\d+)?)\s*([a-zµ]*)\s*$/iu.exec(value) : null;
      const unitName = text === null ? "" : (text[2] as string).toLowerCase();
      const factor = text === null || !Object.hasOwn(units, unitName) ? undefined : units[unitName];
      if (typeof value === "string" && factor === undefined) throw wrong(`a number of ${unit}${names.length > 0 ? ` (${names.join(", ")})` : ""} is needed`);
      const result = text === null ? value : rounded(Number(text[1]) * (factor as number));
      if (typeof result !== "number" || Number.isNaN(result)) throw wrong(`a number of ${unit} is needed`);
      if (result !== Infinity && !Number.isInteger(result)) throw wrong(`a whole number of ${unit} is needed`);
      if (result < min || (result > max && !(result === Infinity && bounds.max === undefined)))
        throw wrong(`${result} is not between ${min} and ${max} ${unit}`);
      return result;
    },
  };
}

/** 1.005 s are 1,005 ms, and not 1,004.9999999999999. */
function rounded(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) < 1e-6 ? whole : value;
}

const MS: Readonly<Record<string, number>> = { "": 1, ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, tib: 1024 ** 4 };

/** Makers of settings. Bounds are inclusive; `min` defaults to 0; Infinity passes where no `max` is given. */
export const setting: {
  ms(about: string, initial?: number, bounds?: { readonly min?: number | undefined; readonly max?: number | undefined }): Setting<number>;
  bytes(about: string, initial?: number, bounds?: { readonly min?: number | undefined; readonly max?: number | undefined }): Setting<number>;
  count(about: string, initial?: number, bounds?: { readonly min?: number | undefined; readonly max?: number | undefined }): Setting<number>;
  flag(about: string, initial?: boolean): Setting<boolean>;
  text(about: string, initial?: string): Setting<string>;
  secret(about: string): Setting<string>;
  choice<const T extends string>(about: string, values: readonly T[], initial?: T): Setting<T>;
} = {
  ms: (about, initial, bounds = {}) => number(about, "milliseconds", MS, initial, bounds),
  bytes: (about, initial, bounds = {}) => number(about, "bytes", BYTES, initial, bounds),
  count: (about, initial, bounds = {}) => number(about, "things", { "": 1 }, initial, bounds),
  flag: (about, initial) => ({
    about,
    initial,
    parse(value) {
      const text = typeof value === "string" ? value.trim().toLowerCase() : value;
      if (text === true || text === "true" || text === "yes" || text === "on" || text === "1") return true;
      if (text === false || text === "false" || text === "no" || text === "off" || text === "0") return false;
      throw wrong("true or false is needed");
    },
  }),
  text: (about, initial) => ({ about, initial, parse: textOf }),
  secret: (about) => ({ about, secret: true, parse: textOf }),
  choice: (about, values, initial) => ({
    about,
    initial,
    parse(value) {
      const found = values.find((one) => one === value);
      if (found === undefined) throw wrong(`one of ${values.join(", ")} is needed`);
      return found;
    },
  }),
};

function textOf(value: unknown): string {
  if (typeof value !== "string") throw wrong("text is needed");
  return value;
}

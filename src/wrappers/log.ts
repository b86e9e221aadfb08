/**
 * One record per call, for people and machines: `log({ sink: logFile("/var/log/stratus.log") })`.
 *
 *   const store = stack(s3({ bucket }), log({ sink: { write: (record) => logger.info(record) }, level: "changes" }));
 *   await store.layers.log.configure({ level: "off" });             // in force with the next record
 */
import { StoreError, control, kindOf, layer, setting, systemClock, uniform, observe } from "../store/index.ts";
import type { Call, Control, ErrorCode, Injected, Kind, Layer, Operation, StorePath } from "../store/index.ts";

/** Plain data. No bytes, no tokens, no messages: what an error says in words may hold what nobody should read in a log. */
export interface LogRecord {
  /** When the call ended, milliseconds since 1970. */
  readonly atMs: number;
  /** The `name` that was given to this layer. */
  readonly log: string;
  readonly operation: Operation;
  /** Absent with `paths: false`. */
  readonly path?: StorePath | undefined;
  /** Of copy and move. */
  readonly to?: StorePath | undefined;
  /** From the call to its very end: of a read that is the end of its body. */
  readonly ms: number;
  /** Bytes of bodies that passed, those that were sent again included. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** "closed-early": the reader left before the end of the body, which is no failure. */
  readonly outcome: "ok" | "failed" | "closed-early";
  readonly code?: ErrorCode | undefined;
  /** Of a call that failed: was the change made? */
  readonly applied?: boolean | "partly" | "unknown" | undefined;
  /** Tries that layers and services below made, where more than one. */
  readonly attempts?: number | undefined;
}
export interface LogSink {
  /** What it throws is counted and otherwise ignored: a full disk for logs is no reason to fail a call. */
  write(record: LogRecord): void;
  /** When the store closes. A later record opens it again. */
  close?(): void;
}
export interface LogSettings {
  /** "failures": calls that failed, `not-modified` not among them. "changes": those, and every call that changes something. Default "all". */
  readonly level: "off" | "failures" | "changes" | "all";
  /** Paths are in the records. Default true. */
  readonly paths: boolean;
}
export interface LogOptions extends Partial<LogSettings>, Pick<Injected, "clock"> {
  readonly sink: LogSink;
  /** In every record, to tell stores apart that share a log. Default: the name of the layer. */
  readonly name?: string | undefined;
}
export interface LogControl extends Control<LogSettings> {}

export function log(options: LogOptions): Layer<"log", LogControl> {
  const { sink, name: givenName, clock = systemClock, ...given } = options;
  if (typeof (sink as LogSink | undefined)?.write !== "function") throw new StoreError("config", "log.sink: an object with a function `write` is needed");
  return layer("log", (inner, _store, layerName) => {
    const name = givenName ?? layerName;
    const base = control<LogSettings>(
      "log",
      {
        level: setting.choice("which calls are told", ["off", "failures", "changes", "all"], "all"),
        paths: setting.flag("paths are in the records", true),
      },
      given,
    );
    const counts = { records: 0, lost: 0 };
    const tell = (record: LogRecord): void => {
      try {
        sink.write(record);
        counts.records++;
      } catch {
        counts.lost++;
      }
    };
    const wanted = (operation: Operation, failed: boolean): boolean => {
      const { level } = base.settings;
      return level === "all" || (level !== "off" && failed) || (level === "changes" && CHANGES.has(operation));
    };
    const ended = (call: Call, begun: number, { bytesUp, bytesDown, complete, error }: Outcome): void => {
      const known = error === undefined ? undefined : facts(error, call.operation);
      const failed = known !== undefined && known.code !== "not-modified";
      if (!wanted(call.operation, failed)) return;
      const ms = Math.round((clock.monotonic() - begun) * 1000) / 1000;
      tell({
        atMs: clock.now(),
        log: name,
        operation: call.operation,
        ...(base.settings.paths ? { path: call.path, ...("to" in call ? { to: call.to } : undefined) } : undefined),
        ms,
        bytesUp,
        bytesDown,
        outcome: known !== undefined ? "failed" : complete ? "ok" : "closed-early",
        ...known,
      });
    };
    return {
      control: {
        kind: base.kind,
        get settings() {
          return base.settings;
        },
        configure: (patch) => base.configure(patch),
        flush: (flushOptions) => base.flush(flushOptions),
        report: () => ({ ...counts, level: base.settings.level }),
      },
      close: async () => sink.close?.(),
      backend: uniform(inner, {
        around(call, next) {
          if (base.settings.level === "off") return next(call);
          const begun = clock.monotonic();
          return observe(call, next, { end: (outcome) => ended(call, begun, outcome) });
        },
        async read(call, next) {
          if (base.settings.level === "off") return next(call);
          const begun = clock.monotonic();
          let told = false;
          const once = (outcome: Outcome): void => {
            if (!told) ended(call, begun, outcome);
            told = true;
          };
          const reply = await observe(call, next, { end: once });
          // What is in memory has come whole, and nobody has to read it to its end.
          if (reply.body.inMemory) once({ bytesUp: 0, bytesDown: reply.body.length ?? 0, complete: true, error: undefined });
          return reply;
        },
      }),
    };
  });
}

export const Log: Kind<LogControl> = kindOf("log");

const CHANGES: ReadonlySet<Operation> = new Set<Operation>(["write", "delete", "mkdir", "copy", "move"]);

interface Outcome {
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly complete: boolean;
  readonly error: unknown;
}

function facts(thrown: unknown, operation: Operation): Pick<LogRecord, "code" | "applied" | "attempts"> {
  // What nobody said of the change is what the front will say of it: the default of this operation.
  const known = StoreError.is(thrown) ? thrown : new StoreError("unknown", "");
  const error = known.operation === null ? known.with({ operation }) : known;
  return { code: error.code, applied: error.applied, ...(error.attempts > 1 ? { attempts: error.attempts } : undefined) };
}

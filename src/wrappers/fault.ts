/**
 * Makes calls fail on purpose, for tests of whatever stands above it: `fault({ rules: [{ operations: ["write"], when: "after" }] })`.
 *
 *   const store = stack(memory(), fault({ seed: 7, probability: 0.1, rules: [{ when: "before" }, { when: "after" }, { when: "down", afterBytes: 1000 }] }), retry());
 *   await store.layers.fault.configure({ enabled: false });        // in force at once
 */
import { StoreError, abortError, byteStream, control, kindOf, layer, mapSource, setting, uniform } from "../store/index.ts";
import type { ByteStream, Call, Control, ErrorCode, Injected, Kind, Layer, Operation, ReadCall, ReadReply, Setting, WriteCall } from "../store/index.ts";
import { seededRandom } from "./seeded-random.ts";

/** What goes wrong with one call. */
export interface InjectedFault {
  /**
   * "before": the call never reaches the store below (default). "after": the store below did it, and the answer is lost. "up", "down": the body of a
   * write or read breaks after `afterBytes` bytes; one that is over by then passes unharmed, and an operation without such a body too.
   */
  readonly when?: "before" | "after" | "up" | "down" | undefined;
  /** For "up" and "down". Default 0: before the first byte. */
  readonly afterBytes?: number | undefined;
  /** Default "unavailable". */
  readonly code?: ErrorCode | undefined;
  /** Default: as the code has it. */
  readonly transient?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  /**
   * What the error says of a change. By default the truth as a caller of a real service can know it: false before, and after it "unknown" for a code that
   * leaves that open (timeout, aborted, unavailable, unknown), else true. A lie (true before, false after) is `config`. Bodies that break leave it to the store below.
   */
  readonly applied?: boolean | "unknown" | undefined;
  /** Nothing comes any more, in place of an error: the call, or its body, waits until its signal fires or the body is closed. */
  readonly hang?: boolean | undefined;
}

/** Which calls a fault meets. */
export interface FaultRule extends InjectedFault {
  /** Default: all ten. */
  readonly operations?: readonly Operation[] | undefined;
  readonly match?: ((call: Call) => boolean) | undefined;
  /** So many matching calls pass first. Default 0. */
  readonly skip?: number | undefined;
  /** So many faults at most. Default Infinity. */
  readonly times?: number | undefined;
  /** 0 to 1. Default: the setting of the layer. */
  readonly probability?: number | undefined;
}

export interface FaultSettings {
  /** False: every call passes, and nothing is counted or drawn. Default true. */
  readonly enabled: boolean;
  /** How likely a rule that matches strikes. 0 to 1, default 1. */
  readonly probability: number;
}
export interface FaultOptions extends Partial<FaultSettings>, Pick<Injected, "random"> {
  /** The first that strikes decides. Or a function that says what happens to the call; `count` is 1 for the first. Default: one rule, every call fails before. */
  readonly rules?: readonly FaultRule[] | ((call: Call, count: number) => InjectedFault | undefined) | undefined;
  /** Equal seeds and equal calls in equal order meet equal faults. Default 1; `random` takes its place. */
  readonly seed?: number | undefined;
}
export interface FaultControl extends Control<FaultSettings> {
  /** Calls that came while it was enabled. */
  readonly calls: number;
  /** Faults that really struck: a body that was over before its break counts none. */
  readonly struck: number;
}

/** The errors say "injected" as their reason. Bodies that break are not in memory any more. */
export function fault(options: FaultOptions = {}): Layer<"fault", FaultControl> {
  const { rules = [{}], seed = 1, random = seededRandom(seed), ...given } = options;
  return layer("fault", (inner) => {
    const base = control<FaultSettings>(
      "fault",
      { enabled: setting.flag("faults are made", true), probability: share("how likely a matching rule strikes, 0 to 1", 1) },
      given,
    );
    const plan = typeof rules === "function" ? rules : scripted(rules.map(checked), () => base.settings.probability, random);
    const counts = { calls: 0, struck: 0 };
    const decide = (call: Call): InjectedFault | undefined => {
      if (!base.settings.enabled) return undefined;
      const found = plan(call, ++counts.calls);
      return found === undefined ? undefined : checked(found);
    };
    const strike = (it: InjectedFault, call: Call): Promise<never> => {
      counts.struck++;
      return it.hang === true ? stuck(it, call) : Promise.reject(errorOf(it, call));
    };
    return {
      control: {
        kind: base.kind,
        get settings() {
          return base.settings;
        },
        configure: (patch) => base.configure(patch),
        flush: (flushOptions) => base.flush(flushOptions),
        report: () => ({ ...counts }),
        get calls() {
          return counts.calls;
        },
        get struck() {
          return counts.struck;
        },
      },
      backend: uniform(inner, {
        async around(call, next) {
          const it = decide(call);
          if (it === undefined) return next(call);
          if (whenOf(it) === "before") return strike(it, call);
          const reply = await next(call);
          return whenOf(it) === "after" ? strike(it, call) : reply;
        },
        async read(call, next) {
          const it = decide(call);
          if (it === undefined) return next(call);
          if (whenOf(it) === "before") return strike(it, call);
          const reply: ReadReply = await next(call);
          if (whenOf(it) === "down") return { ...reply, body: breaking(reply.body, it, call, strike) };
          if (whenOf(it) === "up") return reply;
          await reply.body.close();
          return strike(it, call);
        },
        async write(call, next) {
          const it = decide(call);
          if (it === undefined) return next(call);
          if (whenOf(it) === "before") return strike(it, call);
          if (whenOf(it) !== "up") {
            const entry = await next(call);
            return whenOf(it) === "after" ? strike(it, call) : entry;
          }
          return next({ ...call, body: mapSource(call.body, call.body.size, (stream) => breaking(stream, it, call, strike)) });
        },
      }),
    };
  });
}

export const Fault: Kind<FaultControl> = kindOf("fault");

const MUTATIONS: ReadonlySet<Operation> = new Set<Operation>(["write", "delete", "mkdir", "copy", "move"]);

function whenOf({ when = "before" }: InjectedFault): NonNullable<InjectedFault["when"]> {
  return when;
}

function checked<F extends InjectedFault>(it: F): F {
  const when = whenOf(it);
  if (!["before", "after", "up", "down"].includes(when))
    throw new StoreError("config", 'a fault comes "before" or "after" the call, or in its body: "up" or "down"');
  if ((when === "before" && it.applied === true) || (when === "after" && it.applied === false))
    throw new StoreError("config", `a fault ${when} the call cannot say applied ${it.applied}: that would be a lie`);
  return it;
}

/** The rules one after the other; each counts for itself what it has let pass. */
function scripted(rules: readonly FaultRule[], probability: () => number, random: () => number): (call: Call) => InjectedFault | undefined {
  const seen = rules.map(() => ({ passed: 0, struck: 0 }));
  return (call) => {
    for (const [i, rule] of rules.entries()) {
      const state = seen[i] as { passed: number; struck: number };
      if (rule.operations?.includes(call.operation) === false || rule.match?.(call) === false) continue;
      if (state.struck >= (rule.times ?? Infinity)) continue;
      if (state.passed < (rule.skip ?? 0)) {
        state.passed++;
        continue;
      }
      const likely = rule.probability ?? probability();
      if (likely < 1 && random() >= likely) continue;
      state.struck++;
      return rule;
    }
    return undefined;
  };
}

function errorOf(it: InjectedFault, call: Call): StoreError {
  const when = whenOf(it);
  const { code = "unavailable", transient, retryAfterMs } = it;
  // A body that breaks is told of by the store that was reading it: it knows what became of the change.
  if (when === "up" || when === "down") return new StoreError(code, "injected", { transient, retryAfterMs });
  const { operation, path } = call;
  const applied = MUTATIONS.has(operation) ? (it.applied ?? (when === "before" ? false : known(code))) : false;
  return new StoreError(code, "injected", { transient, retryAfterMs, applied, operation, path, to: "to" in call ? call.to : undefined });
}

/** What a caller of a real service knows of a change that was made when the answer is an error of this code. */
function known(code: ErrorCode): true | "unknown" {
  return new StoreError(code, "", { operation: "write" }).applied === "unknown" ? "unknown" : true;
}

/** Exactly so many bytes, and then the fault. */
function breaking(stream: ByteStream, it: InjectedFault, call: ReadCall | WriteCall, strike: (it: InjectedFault, call: Call) => Promise<never>): ByteStream {
  let left = it.afterBytes ?? 0;
  let rest: Uint8Array | undefined;
  return byteStream({
    length: stream.length,
    async pull() {
      if (left === 0) return strike(it, call);
      const chunk = rest ?? (await stream.pull());
      rest = undefined;
      if (chunk === undefined || chunk.byteLength <= left) {
        left -= chunk?.byteLength ?? 0;
        return chunk;
      }
      const part = chunk.subarray(0, left);
      left = 0;
      return part;
    },
    close: () => stream.close(),
  });
}

/** Until the signal fires; without one for ever. */
function stuck(it: InjectedFault, { signal, operation }: Call): Promise<never> {
  const details = whenOf(it) === "before" ? { applied: false, operation } : whenOf(it) === "after" ? { operation } : {};
  return new Promise((_, fail) => {
    if (signal?.aborted === true) return fail(abortError(signal, details));
    signal?.addEventListener("abort", () => fail(abortError(signal, details)), { once: true });
  });
}

function share(about: string, initial: number): Setting<number> {
  return {
    about,
    initial,
    parse(value) {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number !== "number" || !(number >= 0 && number <= 1)) throw new StoreError("config", "a number from 0 to 1 is needed");
      return number;
    },
  };
}

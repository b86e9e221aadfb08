/** One-bug variants of the uniform wrappers: limit, fault, throttle, latency, timeout, log. */
import { brokenLayer } from "./registry.ts";
import type { BrokenLayer, Proof } from "./registry.ts";
import * as laws from "./support/law-proofs.ts";
import * as faults from "./support/fault-proofs.ts";
import { permitHeldByBody } from "./support/limit-proofs.ts";
import * as logs from "./support/log-proofs.ts";
import { mutant, real } from "./support/mutant.ts";
import type { Wrappers } from "./support/mutant.ts";
import * as paces from "./support/pace-proofs.ts";
import * as timeouts from "./support/timeout-proofs.ts";

/** `file` of src/wrappers with one place changed. */
function bug(id: string, text: string, proof: Proof<Wrappers>, file: string, from: string, to: string, rows?: readonly string[]): BrokenLayer {
  return brokenLayer({ id, bug: `${file}: ${text}`, rows, proofs: [proof], right: real, wrong: mutant(`src/wrappers/${file}.ts`, from, to) });
}

export const layers: readonly BrokenLayer[] = [
  bug(
    "S01",
    "a read gives its place back when its body begins",
    permitHeldByBody,
    "limit",
    "if (reply.body.inMemory) questions.release(held);",
    "questions.release(held);",
  ),

  bug("S50", "a fault after the call says that nothing was changed", faults.beforeAndAfter, "fault", 'when === "before" ? false : known(code)', "false", [
    "M84",
  ]),
  bug(
    "S51",
    "a fault before the call lets it through",
    faults.beforeAndAfter,
    "fault",
    "          const reply = await next(call);\n          return whenOf(it) ===",
    "          void next(call);\n          const reply = await next(call);\n          return whenOf(it) ===",
  ),
  bug("S52", "a body breaks at the end of the chunk", faults.bodiesBreak, "fault", "const part = chunk.subarray(0, left);", "const part = chunk;"),
  bug("S53", "each chunk is short enough", faults.bodiesBreak, "fault", "        left -= chunk?.byteLength ?? 0;\n", ""),
  bug("S54", "the seed is ignored", faults.seeded, "fault", "random = seededRandom(seed)", "random = Math.random"),
  bug(
    "S55",
    "a rule strikes once more than it may",
    faults.scripts,
    "fault",
    "state.struck >= (rule.times ?? Infinity)",
    "state.struck > (rule.times ?? Infinity)",
  ),
  bug("S56", "a fault that would lie is taken", faults.noLies, "fault", '(when === "after" && it.applied === false)', "false"),

  bug(
    "S60",
    "each transfer has the whole rate",
    paces.rateHolds,
    "throttle",
    "return this.#wait(this.#taken, signal, over);",
    "return this.#wait(this.#due + bytes, signal, over);",
  ),
  bug(
    "S61",
    "a line that stood idle lets a burst through",
    paces.rateHolds,
    "throttle",
    "Math.min(this.#taken, this.#due + ((now - this.#mark) / 1000) * this.#rate)",
    "this.#due + ((now - this.#mark) / 1000) * this.#rate",
  ),
  bug("S62", "a new rate is not told to who waits", paces.rateIsLive, "throttle", "    this.#changed.abort();\n", ""),
  bug("S63", "a closed body goes on waiting", paces.waitsEnd, "throttle", "end: () => over.abort(),", "end: () => {},"),
  bug(
    "S64",
    "the signal does not end a wait",
    paces.waitsEnd,
    "throttle",
    "AbortSignal.any(signal === undefined ? [changed, over] : [changed, over, signal])",
    "AbortSignal.any([changed, over])",
    ["M84"],
  ),
  bug("S65", "up and down share one rate", paces.rateHolds, "throttle", "down: (bytes) => pass(down, bytes),", "down: (bytes) => pass(up, bytes),"),

  bug(
    "S66",
    "a call that is given up is sent all the same",
    paces.delayAborts,
    "latency",
    "throw abortError(call.signal, { applied: false });",
    "return next(call);",
    ["M84"],
  ),
  bug("S67", "jitter is not seeded", paces.delays, "latency", "random = seededRandom(seed)", "random = Math.random"),
  bug(
    "S68",
    "the delay comes after the call",
    paces.delays,
    "latency",
    "          if (ms > 0) {\n            try {",
    "          if (ms > 0) {\n            void next(call);\n            try {",
  ),

  bug("S70", "the call is left at once, and goes on below", timeouts.lateSuccess, "timeout", "await this.#sleep(graceMs);", "await this.#sleep(0);"),
  bug(
    "S71",
    "a change that was stopped never says unknown",
    timeouts.deafIsLeft,
    "timeout",
    "throw abortError(this.#stop.signal, { operation: this.#call.operation });",
    "throw abortError(this.#stop.signal, { operation: this.#call.operation, applied: false });",
    ["M84"],
  ),
  bug(
    "S72",
    "the timer runs on after the call",
    timeouts.silenceEnds,
    "timeout",
    "          } finally {\n            dog.end();",
    "          } finally {\n            dog.reply;",
  ),
  bug("S73", "a long write is silent", timeouts.bytesAreLife, "timeout", "{ up: () => this.#moved() }", "{}"),
  bug(
    "S74",
    "a slow reader is a slow service",
    timeouts.idleBodies,
    "timeout",
    "    const bytes = await this.#orLate(pull());\n    this.#silentSince = undefined;",
    "    const bytes = await this.#orLate(pull());",
  ),
  bug("S75", "a late body is left open", timeouts.deafIsLeft, "timeout", "(late) => abandoned && abandon?.(late)", "(late) => abandoned && late"),
  bug(
    "S76",
    "the caller's abort becomes a timeout",
    timeouts.callersTime,
    "timeout",
    "if (!this.#stop.signal.aborted || this.#call.signal?.aborted === true) throw error;",
    "if (false) throw error;",
    ["M84"],
  ),
  bug(
    "S77",
    "the caller's signal does not reach the store below",
    timeouts.callersTime,
    "timeout",
    "call.signal === undefined ? stop : AbortSignal.any([call.signal, stop])",
    "stop",
    ["M84"],
  ),

  bug("S80", "a read is told when its body begins", logs.records, "log", "if (reply.body.inMemory) once(", "once("),
  bug(
    "S81",
    "the words of errors are logged",
    logs.records,
    "log",
    "return { code: error.code, applied",
    "return { code: error.code, ...({ reason: error.reason } as object), applied",
  ),
  bug(
    "S82",
    "the level is read once",
    logs.levels,
    "log",
    "const { level } = base.settings;",
    "const level: string = ((wanted as { level?: string }).level ??= base.settings.level);",
  ),
  bug(
    "S83",
    "a log that fails fails the call",
    logs.brokenSinks,
    "log",
    "      } catch {\n        counts.lost++;",
    "      } catch (error) {\n        counts.lost++;\n        throw error;",
  ),
  bug("S84", "a log that others may read", logs.files, "log-file", '"a", 0o600', '"a", 0o644', ["CF109"]),
  bug("S85", "a log that begins anew with each process", logs.files, "log-file", '"a", 0o600', '"w", 0o600', ["CF107"]),

  bug(
    "M84",
    "an abort or any other error changes its kind on the way up",
    laws.errorsAreThoseBelow,
    "latency",
    "          return next(call);\n        },",
    '          return next(call).catch((error: unknown) => {\n            throw (error as { code?: string }).code === "conflict" ? (error as { with(changes: object): Error }).with({ code: "unavailable" }) : error;\n          });\n        },',
    ["M84"],
  ),
  bug(
    "M85",
    "a capability of the store below is hidden",
    laws.capabilitiesAreThoseBelow,
    "timeout",
    "backend: uniform(inner, {",
    "backend: uniform(Object.create(inner, { capabilities: { value: { ...inner.capabilities, space: false } } }) as typeof inner, {",
    ["M85"],
  ),
  bug(
    "M85b",
    "a capability that the store below does not have is invented",
    laws.capabilitiesAreThoseBelow,
    "throttle",
    "backend: uniform(inner, {",
    'backend: uniform(Object.create(inner, { capabilities: { value: { ...inner.capabilities, copy: "native" } } }) as typeof inner, {',
    ["M85"],
  ),
  bug("M86", "closing one store closes the log of another", laws.closingIsOnesOwn, "log-file", "      file = undefined;\n", "", ["M86"]),
];

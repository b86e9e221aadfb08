/** What went wrong, by code and operation: how often, when first and last, and in which words. Bounded, however much goes wrong. */
import { StoreError } from "../../store/index.ts";
import type { ErrorCode, Operation } from "../../store/index.ts";

export interface ExceptionStats {
  readonly operation: Operation;
  readonly code: ErrorCode;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The newest words, each once, at most 5, newest last. Reasons of ours, which hold no path; of foreign errors none. */
  readonly reasons: readonly string[];
}

interface Kept {
  readonly operation: Operation;
  readonly code: ErrorCode;
  readonly firstMs: number;
  count: number;
  lastMs: number;
  readonly reasons: string[];
}

const REASONS = 5;

export class Exceptions {
  /** In the order of their last time: the first is the one that makes room. */
  readonly #kinds = new Map<string, Kept>();
  /** Of kinds that made room. */
  #other = 0;
  #maxKinds: number;

  constructor(maxKinds: number) {
    this.#maxKinds = maxKinds;
  }

  add(operation: Operation, error: unknown, nowMs: number): void {
    const code = codeOf(error);
    const key = `${operation} ${code}`;
    const kept = this.#kinds.get(key) ?? { operation, code, firstMs: nowMs, count: 0, lastMs: nowMs, reasons: [] };
    this.#kinds.delete(key);
    this.#kinds.set(key, kept);
    kept.count++;
    kept.lastMs = nowMs;
    const reason = StoreError.is(error) ? error.reason : "an error that nobody translated";
    const known = kept.reasons.indexOf(reason);
    if (known >= 0) kept.reasons.splice(known, 1);
    kept.reasons.push(reason);
    if (kept.reasons.length > REASONS) kept.reasons.shift();
    this.#makeRoom();
  }

  set maxKinds(max: number) {
    this.#maxKinds = max;
    this.#makeRoom();
  }

  get other(): number {
    return this.#other;
  }

  list(): readonly ExceptionStats[] {
    return [...this.#kinds.values()].map(({ operation, code, count, firstMs, lastMs, reasons }) => ({
      operation,
      code,
      count,
      firstMs,
      lastMs,
      reasons: [...reasons],
    }));
  }

  reset(): void {
    this.#kinds.clear();
    this.#other = 0;
  }

  #makeRoom(): void {
    for (const [key, { count }] of this.#kinds) {
      if (this.#kinds.size <= this.#maxKinds) return;
      this.#other += count;
      this.#kinds.delete(key);
    }
  }
}

export function codeOf(error: unknown): ErrorCode {
  return StoreError.is(error) ? error.code : "unknown";
}

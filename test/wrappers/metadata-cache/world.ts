/** The cache between its caller and a service, with a network in between whose every request the test lets through, breaks, or holds back. */
import { setImmediate as turn } from "node:timers/promises";
import { StoreError, abortError, borrow, layer, manualClock, stack, uniform } from "../../../src/store/index.ts";
import type { Call, Clock, Layer, Operation, Store } from "../../../src/store/index.ts";
import { metadataCacheWith } from "../../../src/wrappers/metadata-cache/index.ts";
import type { MetadataCacheControl, MetadataCacheOptions } from "../../../src/wrappers/metadata-cache/index.ts";
import type { MetadataMemory } from "../../../src/wrappers/metadata-cache/memory.ts";
import { rules } from "../../../src/wrappers/metadata-cache/rules.ts";
import type { Rules } from "../../../src/wrappers/metadata-cache/rules.ts";
import { Service } from "./service.ts";
import type { ServiceOptions } from "./service.ts";

/** What is tried: the layer by its rules, or with one of them replaced. */
export type Maker = (options: MetadataCacheOptions, see?: (memory: MetadataMemory) => void) => Layer<"metadataCache", MetadataCacheControl>;
export const right: Maker = (options, see) => metadataCacheWith(rules, options, see);
export const wrong =
  (change: Partial<Rules>): Maker =>
  (options, see) =>
    metadataCacheWith({ ...rules, ...change }, options, see);

/** One request that waits. */
export interface Request {
  readonly call: Call;
  /** The service does it; the answer waits still. */
  effect(): Promise<void>;
  /** The answer arrives (and it is done, if it was not). */
  answer(): Promise<void>;
  /** The answer is lost; it may have been done. */
  fail(error?: StoreError): Promise<void>;
}

export class Net {
  readonly calls: Call[] = [];
  readonly waiting: Request[] = [];
  /** True: requests wait for the test. */
  holds = false;
  /** Instead of an answer. */
  before: ((call: Call) => void) | undefined;
  after: ((call: Call) => void) | undefined;

  count(...operations: Operation[]): number {
    return this.calls.filter(({ operation }) => operations.includes(operation)).length;
  }

  get layer(): Layer<"net"> {
    return layer("net", (inner) => ({
      backend: uniform(inner, {
        around: async (call, next) => {
          this.calls.push(call);
          this.before?.(call);
          const reply = this.holds ? await this.#held(call, () => next(call)) : await next(call);
          this.after?.(call);
          return reply;
        },
      }),
    }));
  }

  #held<T>(call: Call, run: () => Promise<T>): Promise<T> {
    return new Promise<T>((done, fail) => {
      let outcome: Promise<T> | undefined;
      const leave = async (): Promise<void> => {
        this.waiting.splice(this.waiting.indexOf(request), 1);
        await settled();
      };
      const effect = (): Promise<T> => {
        outcome ??= run();
        outcome.catch(() => {});
        return outcome;
      };
      const request: Request = {
        call,
        effect: async () => {
          await effect().catch(() => {});
        },
        answer: async () => {
          effect().then(done, fail);
          await leave();
        },
        fail: async (error = new StoreError("unavailable", "the answer was lost", { operation: call.operation })) => {
          await outcome?.catch(() => {});
          fail(error);
          await leave();
        },
      };
      call.signal?.addEventListener("abort", () => {
        if (!this.waiting.includes(request)) return;
        this.waiting.splice(this.waiting.indexOf(request), 1);
        fail(abortError(call.signal as AbortSignal, { operation: call.operation }));
      });
      this.waiting.push(request);
    });
  }
}

export interface World {
  readonly clock: Clock & { advance(ms: number): Promise<void> };
  readonly service: Service;
  readonly net: Net;
  readonly store: Store;
  readonly control: MetadataCacheControl;
  /** Somebody else, directly at the service. */
  readonly other: Store;
  readonly memory: MetadataMemory;
}
export interface WorldOptions {
  readonly cache?: MetadataCacheOptions;
  readonly service?: Omit<ServiceOptions, "clock">;
  readonly above?: readonly Layer[];
  readonly below?: readonly Layer[];
}

export function worldOf(make: Maker, { cache = {}, service: given = {}, above = [], below = [] }: WorldOptions = {}): World {
  const clock = manualClock();
  const service = new Service({ clock, ...given });
  const net = new Net();
  let memory: MetadataMemory | undefined;
  const made = make({ clock, ...cache }, (seen) => {
    memory = seen;
  });
  const store: Store = stack<Store, readonly Layer[]>(borrow(service.store), net.layer, ...below, made, ...above);
  return {
    clock,
    service,
    net,
    store,
    control: store.layers["metadataCache"] as MetadataCacheControl,
    other: borrow(service.store),
    memory: memory as unknown as MetadataMemory,
  };
}

/** Everything that can run without time has run. */
export async function settled(): Promise<void> {
  await turn();
  await turn();
}

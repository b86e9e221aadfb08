/** Each wrapper as the matrix stacks it: by name, in the place of one connection. Whatever persists gets a directory of its own in the scratch of that connection. */
import { join } from "node:path";
import type { Place } from "../../../src/conformance/index.ts";
import { manualClock } from "../../../src/store/index.ts";
import type { Layer } from "../../../src/store/index.ts";
import { archive, caching, fault, latency, limit, log, metadataCache, prefix, readOnly, retry, stats, throttle, timeout } from "../../../src/wrappers/index.ts";

/** Where a layer stands. */
export interface Spot {
  readonly place: Place;
  /** Unique in the stack: two of a kind have directories and names of their own. */
  readonly id: string;
  /** A cache above it waits out what is in doubt, and refuses to be lied to. */
  readonly belowCache: boolean;
}
type Make = (spot: Spot) => Layer;

const directory = ({ place, id }: Spot): string => join(place.scratch, id);

const makers = {
  prefix: () => prefix("/some/where"),
  readOnly: () => readOnly(),
  retry: ({ belowCache }) => retry({ random: () => 0, ambiguous: belowCache ? "reject" : "resend" }),
  limit: () => limit({ concurrency: 4 }),
  fault: () => fault({ probability: 0 }),
  throttle: () => throttle({ upBytesPerSecond: 1e12, downBytesPerSecond: 1e12 }),
  latency: () => latency({ clock: manualClock() }),
  timeout: () => timeout({ replyMs: 600_000 }),
  log: () => log({ sink: { write() {} } }),
  stats: () => stats(),
  metadataCache: () => metadataCache(),
  /** CF112: nothing is kept, nothing waits: every call has reached the store below when it resolves, every read comes from there. */
  caching: (spot) =>
    caching({ directory: directory(spot), mode: "write-through", unknownPaths: "ask", uploadDelayMs: 0, freshMs: 0, cacheBytes: 0, durability: "process" }),
  /** As it is used, but asking first, so that its error codes are those of the bare store. */
  cachingBack: (spot) => caching({ directory: directory(spot), unknownPaths: "ask", durability: "process" }),
  archive: (spot) => archive({ directory: directory(spot), maxDelayMs: 0, refreshMs: 0, random: spot.place.random }),
} satisfies Readonly<Record<string, Make>>;

export type WrapperName = keyof typeof makers;
/** Those that are wrappers of their own, not another setting of one. */
export const wrapperNames = (Object.keys(makers) as WrapperName[]).filter((name) => name !== "cachingBack");
/** One hook each: no path, no entry and no byte changes in them. */
export const uniformNames = ["retry", "limit", "fault", "throttle", "latency", "timeout", "log", "stats"] as const satisfies readonly WrapperName[];

/** The stack with these layers, innermost first, for the `stacks` of a subject. */
export function layersOf(names: readonly WrapperName[]): (place: Place) => readonly Layer[] {
  return (place) =>
    names.map((name, i) => {
      const again = names.slice(0, i).filter((one) => one === name).length;
      const id = again === 0 ? name : `${name}-${again + 1}`;
      const made = makers[name]({ place, id, belowCache: names.slice(i + 1).some((above) => above === "caching" || above === "cachingBack") });
      return again === 0 ? made : made.as(id);
    });
}

/** "stats(caching(archive))": as String(store) writes it. */
export function nameOf(names: readonly WrapperName[]): string {
  return names.reduce((inner, name) => (inner === "" ? name : `${name}(${inner})`), "");
}

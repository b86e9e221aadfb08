/** Stores that are wrong on the wire: the provider of wire-provider.ts over its tiny service, with one bug each; and, for the control group, without. */
import { createStore } from "../../store/index.ts";
import type { Place, Subject } from "../subject.ts";
import type { BrokenStore } from "./broken.ts";
import { wireProvider } from "./wire-provider.ts";
import type { WireBug } from "./wire-provider.ts";
import { openService } from "./wire-service.ts";
import type { Service } from "./wire-service.ts";

/** One service per place, begun by its first connection and ended when the suite asks what is left there. Without a bug it is right. */
export function wireSubject(bug?: WireBug): Subject {
  const services = new Map<string, Promise<Service>>();
  return {
    name: bug === undefined ? "tiny service over HTTP" : `broken ${bug}`,
    wire: true,
    reopens: false,
    cost: { stat: 1, read: 1, write: 1, list: 1, delete: 1, mkdir: 1, copy: 1, move: 1 },
    open(place: Place) {
      const options = { endpoint: "", bug };
      return createStore({
        ...wireProvider(options),
        // Here and not before, since a store that is never used is never closed either.
        async open(): Promise<void> {
          let service = services.get(place.id);
          if (service === undefined) services.set(place.id, (service = openService({ pageSize: 100, clock: place.clock })));
          options.endpoint = place.route((await service).url);
        },
      });
    },
    async leftovers(place: Place) {
      const service = await services.get(place.id);
      services.delete(place.id);
      const left = service?.uploads.map((upload) => `open upload ${upload}`) ?? [];
      await service?.[Symbol.asyncDispose]();
      return left;
    },
  };
}

const bugs: Readonly<Record<WireBug, readonly [bug: string, ...killedBy: string[]]>> = {
  M27: ["the service ignores Range, or answers another one, and the body is taken for the range", "wire.download.range"],
  M27b: ["the service ignores Range and answers 200, and the body is taken for the range", "wire.download.range"],
  M28: ["a body cut by the network is returned as complete", "wire.download.whole"],
  M29: ["what an early close left on the connection begins the next body", "wire.close.early"],
  M34: ["a page that fails is the end of the listing", "wire.list.pages"],
  M59: ["`not-found` for a network failure", "wire.stat", "wire.upload.new", "wire.down.ends"],
  M59b: ["`not-found` for 401 and 403", "wire.stat", "wire.upload.new"],
  M60: ["a create whose answer was lost is sent again, and meets itself", "wire.upload.create"],
  M60b: ["a move whose answer was lost is sent again, and finds nothing to move", "wire.move.file", "wire.move.tree"],
  M60c: ["a mkdir whose answer was lost is sent again, and meets itself", "wire.mkdir"],
  W01: ["a write with an etag whose answer was lost is sent again, and loses against itself", "wire.upload.replace"],
  W02: ["a page that was cut in the middle is a page", "wire.list.pages"],
  W03: ["a page that was throttled is the end of the listing", "wire.list.pages"],
  W04: ["a deletion that failed is reported as done", "wire.delete.file", "wire.delete.tree"],
  W05: ["an upload in parts that failed is not given up", "wire.upload.large"],
  W06: ["a part that failed is left out", "wire.upload.large"],
  W07: ["close forgets the connections", "wire.close.store"],
  W08: ["the signal of the caller does not reach the request", "wire.abort.waiting"],
  W09: ["a body that is closed early keeps its connection", "wire.close.early"],
  W10: ["a change whose answer was lost is said not to have happened", "wire.upload.small", "wire.upload.unknown", "wire.copy.file"],
  W11: ["Retry-After is not passed on", "wire.answers.throttled"],
  W12: ["what a body lacks is filled with zeros", "wire.download.whole"],
  W13: ["errors of the network are not translated", "wire.stat", "wire.upload.small"],
  W14: ["a move is a copy and a deletion, and the deletion does not wait for the copy", "wire.move.file", "wire.move.tree"],
  W15: ["a part that fails is sent again without an end", "wire.down.ends"],
  W16: ["every read asks for the size first", "wire.cost"],
  W18: ["an upload in parts that the caller gives up is not given up at the service", "wire.abort.upload"],
  W19: ["a 503 is said to have happened", "wire.upload.small", "wire.answers.throttled"],
  W21: ["a body that is being read goes on after the caller gave up", "wire.abort.download"],
  W22: ["a page that fails three times is the end of the listing", "wire.list.pages"],
  W23: ["a part that fails three times is left out", "wire.upload.large"],
  W24: ["a failure that is answered is said to have changed nothing", "wire.upload.small", "wire.upload.unknown", "wire.copy.file"],
  W25: ["a change whose first question fails is said to have an open end", "wire.delete.file", "wire.copy.file"],
  W26: ["a deletion of a tree without an answer is said to be done in part", "wire.delete.tree"],
  W20: ["a range is cut out of the whole file", "wire.cost.bytes"],
};

export const broken: readonly BrokenStore[] = Object.entries(bugs).map(([id, [bug, ...killedBy]]) => ({
  id,
  bug,
  killedBy,
  subject: () => wireSubject(id as WireBug),
}));

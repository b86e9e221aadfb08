/** Installations, one store, and the requests between them: runs a program and checks after each step. */
import type { Bugs } from "./bugs.ts";
import { Checks } from "./checks.ts";
import type { Command, Stale } from "./commands.ts";
import { Installation } from "./installation.ts";
import type { Archive, Stamp } from "./join.ts";
import { seal, sealSolo } from "./seal.ts";
import type { Op, Sealed } from "./seal.ts";
import { ModelStore, TIMES } from "./store.ts";
import { claim, collect, repack, take } from "./upkeep.ts";

interface Request {
  readonly i: number;
  readonly incarnation: number;
  readonly kind: "put" | "delete";
  readonly name: string;
  readonly archive: Archive | undefined;
  readonly began: number;
  applied: boolean;
}

const SKEW = [0, -7, 9];
const SEEN: Stale = [0];

export class World {
  readonly store: ModelStore = new ModelStore();
  readonly all: readonly Installation[];
  readonly checks: Checks = new Checks(this.store, TIMES.settle);
  readonly bugs: Bugs;
  /** Writers that never come back. */
  readonly dead: string[] = [];
  #flight: Request[] = [];
  /** Given up by their sender, and perhaps still on their way. */
  #lost: Request[] = [];
  #open: Op[][];
  #solos: { readonly path: string; readonly begun: Stamp }[][];
  /** Second halves of groups, with the bug that makes two of one. */
  readonly #halves: Map<string, Archive> = new Map();
  #bodies = 0;
  #owners: number;

  constructor(installations: number, bugs: Bugs = new Set()) {
    this.bugs = bugs;
    this.all = Array.from({ length: installations }, (_, i) => new Installation("abc"[i] as string, this.store, SKEW[i] as number, bugs));
    this.#open = this.all.map(() => []);
    this.#solos = this.all.map(() => []);
    this.#owners = installations;
  }

  step(command: Command): void {
    const i = "i" in command ? command.i % this.all.length : 0;
    this.#do(command, i, this.all[i] as Installation);
    this.checks.store();
  }

  #do(command: Command, i: number, me: Installation): void {
    switch (command.do) {
      case "op":
        this.#open[i]?.push({ op: command.op, path: command.path, to: command.to, body: `body${++this.#bodies}` });
        break;
      case "seal":
        this.#seal(i, me, command.stale);
        break;
      case "now": {
        if (command.refresh) this.#refresh(me, command.stale);
        this.#open[i]?.push({ op: command.op, path: command.path, to: command.to, body: `body${++this.#bodies}` });
        const sent = this.#seal(i, me, command.stale);
        if (sent !== undefined && !command.fly) this.#answer(sent, "ok");
        break;
      }
      case "solo":
        this.#solo(i, me, command.path, command.end, command.stale);
        break;
      case "net": {
        const request = this.#flight[command.k % this.#flight.length];
        if (request !== undefined) this.#answer(request, command.how);
        break;
      }
      case "late": {
        const [request] = this.#lost.splice(command.k % (this.#lost.length || 1), 1);
        if (request !== undefined) this.#apply(request);
        break;
      }
      case "refresh":
        if (command.half) {
          me.beginRefresh(command.stale, true);
          me.endRefresh();
          this.checks.own(me);
        } else {
          me.refresh(command.stale);
          this.checks.refreshed(me);
        }
        break;
      case "listing":
        if (command.end) {
          me.endRefresh();
          this.checks.own(me);
        } else me.beginRefresh(command.stale, false);
        break;
      case "repack": {
        this.#refresh(me, command.stale);
        const sent = this.#send(i, me, repack(me, command.mask));
        if (sent !== undefined && !command.fly) this.#answer(sent, "ok");
        break;
      }
      case "collect":
        this.#collect(i, me, command.stale);
        break;
      case "clean":
        this.#wait(command.before);
        this.#collect(i, me, command.stale);
        this.#wait(command.between);
        for (const sent of this.#collect(i, me, command.stale)) if (!command.fly) this.#answer(sent, "ok");
        break;
      case "take":
        this.#refresh(me, command.stale);
        this.#send(i, me, take(me, command.path));
        break;
      case "claim": {
        const of = this.dead[command.k % (this.dead.length || 1)];
        if (of === undefined) break;
        this.#refresh(me, command.stale);
        this.#send(i, me, claim(me, of));
        break;
      }
      case "claim-living": {
        const of = this.all[command.of % this.all.length] as Installation;
        if (of === me) break;
        const { writer } = of;
        this.#refresh(me, command.stale);
        this.#send(i, me, claim(me, writer));
        if (!this.dead.includes(writer)) this.dead.push(writer);
        break;
      }
      case "crash":
        this.#crash(i, me);
        break;
      case "wipe":
        this.#crash(i, me);
        if (!this.bugs.has("id-reused") && !this.dead.includes(me.writer)) this.dead.push(me.writer);
        me.wipe();
        this.#refresh(me, command.stale);
        break;
      case "time":
        this.#wait(command.steps);
        break;
    }
  }

  #refresh(me: Installation, stale: Stale): void {
    me.refresh(stale);
  }

  /** Nothing is sealed by an old view: its writer may have been claimed meanwhile, and its archives deleted, even the claim be gone. */
  #lookFirst(me: Installation, refers: boolean, stale: Stale): void {
    const old = this.store.now - me.refreshed >= TIMES.grace / 2;
    const skipped = this.bugs.has("seal-old-view") || (this.bugs.has("write-old-view") && !refers);
    if (!me.fresh || (old && !skipped)) this.#refresh(me, stale);
  }

  #seal(i: number, me: Installation, stale: Stale): Request | undefined {
    const ops = this.#open[i] as Op[];
    if (ops.length === 0) return undefined;
    this.#open[i] = [];
    this.#lookFirst(
      me,
      ops.some(({ op }) => op === "copy" || op === "move"),
      stale,
    );
    const sealed = seal(me, ops);
    if (sealed === undefined) return undefined;
    const { archive } = sealed;
    if (!this.bugs.has("move-in-two") || sealed.moves.length === 0) return this.#send(i, me, archive, sealed);
    const moved = new Set(sealed.moves.map(([from]) => from));
    const first: Archive = { ...archive, records: [], tombs: archive.tombs.filter(({ path }) => moved.has(path)) };
    this.#halves.set(first.name, { ...archive, tombs: archive.tombs.filter(({ path }) => !moved.has(path)) });
    return this.#send(i, me, first, { ...sealed, archive: first });
  }

  #solo(i: number, me: Installation, path: string, end: boolean, stale: Stale): void {
    const solos = this.#solos[i] as { path: string; begun: Stamp }[];
    if (!end) {
      solos.push({ path, begun: this.bugs.has("solo-stamped-at-start") ? me.tick() : [0, me.writer] });
      return;
    }
    const solo = solos.shift();
    if (solo === undefined) return;
    this.#lookFirst(me, false, stale);
    const sealed = sealSolo(me, solo.path, `body${++this.#bodies}`, [solo.begun[0], me.writer]);
    if (sealed !== undefined) this.#send(i, me, sealed.archive, sealed);
  }

  #send(i: number, me: Installation, archive: Archive | undefined, sealed?: Sealed): Request | undefined {
    if (archive === undefined) return undefined;
    this.checks.sent(archive, me.line, sealed);
    const request: Request = { i, incarnation: me.incarnation, kind: "put", name: archive.name, archive, began: this.store.now, applied: false };
    this.#flight.push(request);
    return request;
  }

  #collect(i: number, me: Installation, stale: Stale): Request[] {
    this.#refresh(me, stale);
    return collect(me).flatMap((name) => {
      if (this.#flight.some((request) => request.kind === "delete" && request.name === name && request.i === i)) return [];
      const request: Request = { i, incarnation: me.incarnation, kind: "delete", name, archive: undefined, began: this.store.now, applied: false };
      this.#flight.push(request);
      return [request];
    });
  }

  #answer(request: Request, how: Extract<Command, { do: "net" }>["how"]): void {
    const me = this.all[request.i] as Installation;
    const current = me.incarnation === request.incarnation;
    if (how === "applied") return this.#apply(request);
    this.#flight.splice(this.#flight.indexOf(request), 1);
    const intent = request.kind === "put" && current ? me.intents.get(request.name) : undefined;
    if (how === "ok" || how === "ok-crash") {
      this.#apply(request);
      if (how === "ok-crash" && this.bugs.has("learn-apart") && current) me.intents.delete(request.name);
      if (how === "ok-crash") return this.#crash(request.i, me);
      this.#finish(request, me);
    } else if (how === "refused" && !request.applied) {
      if (current) me.intents.delete(request.name);
    } else {
      if (!request.applied) this.#lost.push(request);
      if (intent !== undefined) intent.until = request.began + TIMES.late;
    }
  }

  #apply(request: Request): void {
    if (request.applied) return;
    request.applied = true;
    if (request.archive === undefined) return this.store.delete(request.name);
    this.store.put(request.archive);
    this.checks.landed(request.archive);
  }

  #finish(request: Request, me: Installation): void {
    if (me.incarnation !== request.incarnation) return;
    const { archive } = request;
    if (archive === undefined) {
      me.unneeded.delete(request.name);
      return me.forget(request.name);
    }
    me.stored(archive);
    const half = this.#halves.get(archive.name);
    if (half !== undefined) {
      this.#halves.delete(archive.name);
      this.#send(request.i, me, { ...half, name: me.nextName() });
    }
    if (archive.kind === "group" || archive.kind === "solo") this.checks.acknowledged(archive);
  }

  #crash(i: number, me: Installation): void {
    for (const request of this.#flight) if (request.i === i && !request.applied) this.#lost.push(request);
    this.#flight = this.#flight.filter((request) => request.i !== i);
    this.#open[i] = [];
    this.#solos[i] = [];
    me.crash();
  }

  /** A put is given up by its sender before Z has passed since its stamp; what it left on the way lands until Z, or never. */
  #wait(steps: number): void {
    this.store.now += steps;
    const { now } = this.store;
    this.#flight = this.#flight.filter((request) => {
      if (request.kind !== "put" || request.applied || now - request.began < TIMES.late) return true;
      const me = this.all[request.i] as Installation;
      const intent = me.incarnation === request.incarnation ? me.intents.get(request.name) : undefined;
      if (intent !== undefined) intent.until = request.began + TIMES.late;
      return false;
    });
    this.#lost = this.#lost.filter((request) => now - request.began < TIMES.late);
  }

  #settle(): void {
    for (let left = 200; left > 0 && this.#flight.length > 0; left--) {
      this.#answer(this.#flight[0] as Request, "ok");
      this.checks.store();
    }
  }

  /** Everything ends, is claimed, repacked and collected; then all must see the same, and nothing be left over. */
  quiet(): void {
    this.#settle();
    this.#lost = [];
    for (let round = 0; round < 4; round++) {
      for (const [i, me] of this.all.entries()) {
        me.endRefresh();
        this.#refresh(me, SEEN);
        this.#seal(i, me, SEEN);
        this.#settle();
      }
      for (let k = 0; k < this.dead.length; k++) {
        this.step({ do: "claim", i: k, k, stale: SEEN });
        this.#settle();
      }
      this.#wait(TIMES.grace + 1);
      for (const me of this.all) this.#refresh(me, SEEN);
      this.#wait(TIMES.tomb + 1);
      for (const i of this.all.keys()) {
        this.step({ do: "repack", i, mask: 255, fly: true, stale: SEEN });
        this.#settle();
      }
      for (const wait of [0, TIMES.grace + 1]) {
        this.#wait(wait);
        for (const i of this.all.keys()) {
          this.step({ do: "collect", i, stale: SEEN });
          this.#settle();
        }
      }
    }
    for (const me of this.all) this.#refresh(me, SEEN);
    this.checks.quiet(this.all, this.#owners + this.dead.length);
  }
}

/** @throws Error with what did not hold */
export function runProgram(commands: readonly Command[], installations: number, bugs?: Bugs): void {
  const world = new World(installations, bugs);
  for (const command of commands) world.step(command);
  world.quiet();
}

/** Installations of the archive layer over one memory store, with a clock that stands still. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { borrow, manualClock, stack } from "../../../src/store/index.ts";
import type { Layer, Layered, Store } from "../../../src/store/index.ts";
import { archiveWith } from "../../../src/wrappers/archive/archive.ts";
import type { Proof } from "../../../src/wrappers/archive/archive.ts";
import type { Opened } from "../../../src/wrappers/archive/opened.ts";
import type { ArchiveControl, ArchiveOptions } from "../../../src/wrappers/archive/options.ts";
import { rules } from "../../../src/wrappers/archive/rules.ts";
import type { Rules } from "../../../src/wrappers/archive/rules.ts";
import { scripted } from "../at.ts";
import type { Script } from "../at.ts";

export const START_MS = 1_700_000_000_000;

export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "stratus-archive-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The service that all installations share, and its time. */
export class Bed {
  readonly clock = manualClock(START_MS);
  readonly remote: Store = memory({ clock: this.clock });
  readonly directories: string[] = [];

  /** Default: groups are sent on the next turn. */
  install(options: Partial<ArchiveOptions> = {}, proof: Proof = {}, changed: Partial<Rules> = {}): Installation {
    const directory = options.directory ?? scratch();
    const script = scripted();
    let opened: Opened | undefined;
    const layer: Layer<"archive", ArchiveControl> = archiveWith(
      { ...rules, ...changed },
      { directory, clock: this.clock, maxDelayMs: 0, refreshMs: 0, ...options },
      {
        upkeep: false,
        ...proof,
        opened: (one) => {
          opened = one;
          proof.opened?.(one);
        },
      },
    );
    const store = stack(borrow(this.remote), script.layer, layer);
    onTestFinished(() => store.close());
    return {
      store,
      script,
      directory,
      control: store.layers.archive,
      get parts() {
        if (opened === undefined) throw new Error("not open yet");
        return opened;
      },
    };
  }

  /** Names of the objects in the folder. */
  async objects(): Promise<string[]> {
    try {
      return (await this.remote.list("/.stratus-archive").toArray()).map(({ path }) => path.slice("/.stratus-archive/".length)).sort();
    } catch {
      return [];
    }
  }
}

export interface Installation {
  readonly store: Store & Layered<"archive", ArchiveControl>;
  /** Sees and changes what goes to the service. */
  readonly script: Script;
  readonly directory: string;
  readonly control: ArchiveControl;
  readonly parts: Opened;
}

/** Lets promises and callbacks run until this holds; the clock stands still. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (holds()) return;
    await new Promise((done) => setImmediate(done));
  }
  throw new Error("what was waited for did not happen");
}

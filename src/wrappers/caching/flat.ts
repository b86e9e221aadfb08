/**
 * Where a service lets a file and a directory have one name, a cache that asks first (`unknownPaths: "ask"`) keeps the tree that it promises: what a call
 * that goes to the service at once would put beside something of another kind is refused here, after a look.
 */
import { hasCode } from "../../store/index.ts";
import type { CopyCall, MoveCall, StorePath } from "../../store/index.ts";
import { refusal } from "./checks.ts";
import type { Core } from "./core.ts";
import { ancestors } from "./tree.ts";
import { stat } from "./view.ts";

type Abort = AbortSignal | undefined;

export async function refuseFlatWrite(core: Core, path: StorePath, signal: Abort): Promise<void> {
  if (!isKeptHere(core)) return;
  if ((await kindOf(core, path, signal)) === "directory") throw refusal("is-a-directory", "there is a directory of this name");
  await refuseBelowFile(core, path, signal);
}

export async function refuseFlatMkdir(core: Core, path: StorePath, signal: Abort): Promise<void> {
  if (!isKeptHere(core)) return;
  if ((await kindOf(core, path, signal)) === "file") throw refusal("already-exists", "something of this name is there");
  await refuseBelowFile(core, path, signal);
}

/** A missing source, and a target that must be absent, are the service's to refuse. */
export async function refuseFlatTransfer(core: Core, { path, to, ifAbsent, signal }: CopyCall | MoveCall): Promise<void> {
  if (!isKeptHere(core)) return;
  const source = await kindOf(core, path, signal);
  if (source === undefined) return;
  const target = await kindOf(core, to, signal);
  if (target !== undefined && target !== source) {
    if (ifAbsent) throw refusal("already-exists", "something of this name is there");
    throw target === "directory" ? refusal("is-a-directory", "the target is a directory") : refusal("not-a-directory", "the target is a file");
  }
  await refuseBelowFile(core, to, signal);
}

async function refuseBelowFile(core: Core, path: StorePath, signal: Abort): Promise<void> {
  for (const at of ancestors(path)) if ((await kindOf(core, at, signal)) === "file") throw refusal("not-a-directory", "a parent of this path is a file");
}

function isKeptHere(core: Core): boolean {
  const { unknownPaths, mode } = core.settings();
  return !core.remoteCan.strictHierarchy && unknownPaths === "ask" && mode !== "read-only";
}

function kindOf(core: Core, path: StorePath, signal: Abort): Promise<"file" | "directory" | undefined> {
  return stat(core, { operation: "stat", path, signal, detail: "basic", fresh: true }).then(
    ({ kind }) => kind,
    (error: unknown) => {
      if (hasCode(error, "not-found")) return undefined;
      throw error;
    },
  );
}

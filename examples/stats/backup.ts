/** Copies a directory and shows live what happens; says in one line at the end what it took. */
import { copyBetween, stack } from "stratus";
import { local } from "stratus/local";
import { limit, retry, stats, top } from "stratus/wrappers";
import type { TopOutput } from "stratus/wrappers";

export async function backup(from: string, to: string, output?: TopOutput): Promise<string> {
  await using source = local({ directory: from });
  // Two of them: what this program asks for, and what the disk is asked for.
  await using target = stack(local({ directory: to, createRoot: true }), stats().as("disk"), limit(), retry(), stats());
  const done = new AbortController();
  const view = top(target, { output, signal: done.signal });
  try {
    await copyBetween(source, "/", target, "/");
  } finally {
    done.abort();
    await view;
  }
  return target.layers.stats.text();
}

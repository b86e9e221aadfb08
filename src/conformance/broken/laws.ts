/**
 * Checks that no one-bug store is asked for, with the reason. A check that kills nothing and is not here is a check that nobody has seen fail; one that
 * is here and claims a kill needs its line no more. Both fail `npm run kill-ratio`.
 */
export const laws: Readonly<Record<string, string>> = {
  "copy.service-fails.tree": "over a layer that fails at random: whatever comes out must be whole, so that no single bug stands for it",
  "move.service-fails.tree": "over a layer that fails at random: whatever comes out must be whole, so that no single bug stands for it",
  "errors.signal.stat.running": "a signal in the middle of a call has two right ends; bugs in either are killed by the checks of the verb",
  "errors.signal.read.running": "a signal in the middle of a call has two right ends; bugs in either are killed by the checks of the verb",
  "errors.signal.list.running": "a signal in the middle of a call has two right ends; bugs in either are killed by the checks of the verb",
  "capabilities.boundaries": "what the front and the boundaries of layers do for every store: a provider cannot break it",
  "stack.transparent": "what `layer` and `uniform` do for every store: a provider cannot break it",
  "stack.sees-all": "what `layer` and `uniform` do for every store: a provider cannot break it",
  "stack.prefix.same": "what `layer` does for every store: a provider cannot break it",
  "stack.bytes": "what `observe` does for every store: a provider cannot break it",
  "stack.read-only": "what `layer` does for every store: a provider cannot break it",
  "stack.close": "what `stack` and `borrow` do for every store: a provider cannot break it",
  "stack.composition": "what `stack` does for every store: a provider cannot break it",
  "stack.backend": "what the front gives to every layer: a provider cannot break it",
  "stack.foreign-error": "what the front makes of a layer's mistake: a provider cannot break it",
  "stack.faults": "over a layer that fails before and after: every outcome is judged by itself",
  "stack.slow": "over a layer that waits: the same store, later",
};

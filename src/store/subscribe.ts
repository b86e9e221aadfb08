/** A function of its own for each call: the same listener given twice is told twice. Gives the function that ends it. */
export function subscribe<E>(listeners: Set<(event: E) => void>, listener: (event: E) => void): () => void {
  if (typeof listener !== "function") throw new TypeError("a listener is a function");
  const own = (event: E): void => listener(event);
  listeners.add(own);
  return () => void listeners.delete(own);
}

/** Failures of which it is known that nothing was changed. */
import { StoreError, abortError } from "./errors.ts";

type Translate = (error: unknown) => StoreError | undefined;

/**
 * The failure of a change that cannot have happened, whatever ended the call: an abort and a broken connection alone do not tell. What neither the contract
 * nor `translate` knows (default: the provider's comes later) stays as it is.
 */
export function undone(error: StoreError): StoreError;
export function undone(error: unknown, signal?: AbortSignal, translate?: Translate): unknown;
export function undone(error: unknown, signal?: AbortSignal, translate: Translate = itself): unknown {
  if (signal?.aborted === true && !StoreError.is(error)) return abortError(signal, { applied: false });
  const known = translate(error);
  return known === undefined ? error : known.with({ applied: false, cause: known.cause });
}

/**
 * What a change asks before it has sent anything that changes: what fails of it has changed nothing.
 *
 *   const target = await beforehand(look(session, path, signal), signal, translate);
 */
export async function beforehand<T>(question: Promise<T>, signal?: AbortSignal, translate?: Translate): Promise<T> {
  try {
    return await question;
  } catch (error) {
    throw undone(error, signal, translate);
  }
}

function itself(error: unknown): StoreError | undefined {
  return StoreError.is(error) ? error : undefined;
}

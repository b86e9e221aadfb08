/** What a verb asks before it has sent anything that changes. */
import * as store from "../../store/index.ts";
import type { Context } from "./context.ts";
import { translate } from "./errors.ts";

/** What fails of it has changed nothing. */
export function beforehand<T>({ session }: Context, call: store.Call, question: Promise<T>): Promise<T> {
  return store.beforehand(question, call.signal, (error) => translate(error, call, session.clock.now()));
}

/** The one policy of retries. */
import type { StoreError } from "./errors.ts";
import type { Call } from "./operations.ts";

/**
 * May this call be sent again after this error? Knows which operations are idempotent, `applied`, and whether the body can be opened again.
 * `ambiguous` is for mutations whose outcome is unknown: "resend" repeats the idempotent ones, although the first request may still land late;
 * "reject" hands the doubt up, to a layer that can wait it out (a write-back cache). Providers and their SDKs never resend those by themselves.
 */
export function mayRepeat(call: Call, error: StoreError, ambiguous: "resend" | "reject"): boolean {
  if (!error.transient) return false;
  if (call.operation === "write" && call.body.opened && !call.body.replayable) return false;
  switch (error.applied) {
    case false:
      return true;
    case true:
      return false;
    case "partly":
      return call.operation === "delete" && call.recursive;
    case "unknown":
      return ambiguous === "resend" && idempotent(call);
  }
}

/** Twice is the same as once. A condition makes a second try fail on the success of the first; after a move the source is gone. */
function idempotent(call: Call): boolean {
  switch (call.operation) {
    case "write":
      return !call.ifAbsent && call.ifMatch === undefined;
    case "delete":
      return call.ifMatch === undefined;
    case "mkdir":
      return call.existOk;
    case "copy":
      return !call.ifAbsent;
    case "move":
      return false;
    default:
      return true;
  }
}

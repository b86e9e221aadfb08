/** Something that may not be so. Everything else that a run throws is a defect of the harness. */
import { AssertionError } from "node:assert";

export class Violation extends AssertionError {
  constructor(message: string, cause?: unknown) {
    super({ message });
    this.name = "Violation";
    if (cause !== undefined) this.cause = cause;
  }
}

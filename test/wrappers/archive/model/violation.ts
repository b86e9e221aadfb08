/** What a program showed. An AssertionError, so that whoever counts kills knows it from a mistake of the harness. */
import { AssertionError } from "node:assert";

export function violation(message: string): AssertionError {
  return new AssertionError({ message });
}

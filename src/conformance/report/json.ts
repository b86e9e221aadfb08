/** conformance.json: written and read back. Numbers that JSON has no word for are written as text. */
import { schemaVersion } from "../suite.ts";
import type { Report } from "./report.ts";

export function toJson(value: unknown, indent: number | undefined = 2): string {
  return JSON.stringify(value, (_key, member: unknown) => (member === Infinity ? "Infinity" : member), indent);
}

/** @throws TypeError for text that is no report of this schema */
export function parseReport(text: string, where: string): Report {
  let value: unknown;
  try {
    value = fromJson(text);
  } catch (error) {
    throw new TypeError(`${where} is no JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (typeof value !== "object" || value === null || !("schema" in value) || !("subjects" in value) || !Array.isArray(value.subjects))
    throw new TypeError(`${where} is no conformance report`);
  if (value.schema !== schemaVersion) throw new TypeError(`${where} has schema ${String(value.schema)}; this suite reads ${schemaVersion}`);
  return value as unknown as Report;
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, (_key, member: unknown) => (member === "Infinity" ? Infinity : member)) as unknown;
}

/** Reads every archive that a layer sends with the reader of the tests, and keeps what the checks of the model want to know. */
import type { Observed } from "../model/checks.ts";
import { Checks } from "../model/checks.ts";
import { Join, compare } from "../model/join.ts";
import type { Archive, Rec } from "../model/join.ts";
import { readArchive } from "../independent/read.ts";
import type { Client, Service } from "./service.ts";
import { violation } from "../model/violation.ts";

export class Watch implements Observed {
  readonly objects = new Map<string, Archive>();
  readonly landed: Archive[] = [];
  readonly landedAt: number[] = [];
  readonly ever = new Join();
  version = 0;
  readonly checks: Checks;
  readonly #service: Service;
  readonly #sent = new Map<string, { readonly bytes: Uint8Array; readonly archive: Archive }>();
  /** A fault that was seen inside of a callback. */
  fault: Error | undefined;

  /** `lineOf`: which line of which index a client is now. */
  constructor(service: Service, lineOf: (client: Client) => string) {
    this.#service = service;
    this.checks = new Checks(this, service.settleMs);
    service.onSent = (client, name, bytes) => this.#guard(() => this.#send(name, bytes, lineOf(client)));
    service.onLanded = (name) => this.#guard(() => this.#land(name));
    service.onDeleted = (name) => {
      this.objects.delete(idOf(name));
      this.version++;
    };
  }

  get now(): number {
    return this.#service.now();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fault ??= error as Error;
    }
  }

  #send(name: string, bytes: Uint8Array, line: string): void {
    const before = this.#sent.get(name);
    if (before !== undefined) {
      if (Buffer.compare(before.bytes, bytes) !== 0) throw violation(`two archives of one name: ${name}`);
      return;
    }
    let archive: Archive;
    try {
      archive = archiveOf(name, bytes);
    } catch (error) {
      throw violation(`${name} is not of the format: ${String(error)}`);
    }
    this.#sent.set(name, { bytes: Uint8Array.from(bytes), archive });
    this.checks.sent(archive, line);
    this.#refersToOwn(archive);
  }

  /** References point to bytes of the same owner: others may delete theirs without knowing of the reference. */
  #refersToOwn(archive: Archive): void {
    for (const { path, at } of archive.records) {
      const writer = at.split("-")[1];
      if (writer !== undefined && this.#ownerOf(writer) !== archive.writer) throw violation(`${archive.name} refers to foreign bytes: ${path} in ${at}`);
    }
  }

  /** By the claims that have landed: of each writer the one with the least stamp holds, unless it closes a circle. */
  #ownerOf(writer: string): string {
    const claims = this.landed.flatMap((archive) => archive.claims).sort((a, b) => compare(a.stamp, b.stamp));
    const holders = new Map<string, string>();
    const end = (of: string): string => (holders.has(of) ? end(holders.get(of) as string) : of);
    for (const { of, by } of claims) if (!holders.has(of) && end(by) !== of) holders.set(of, by);
    return end(writer);
  }

  #land(name: string): void {
    const archive = this.#sent.get(name)?.archive;
    if (archive === undefined) return; // Put there by a test.
    this.objects.set(archive.name, archive);
    this.version++;
    if (this.landed.includes(archive)) return;
    this.landed.push(archive);
    this.landedAt.push(this.now);
    this.ever.add(archive);
  }

  /** Everything that a line has sent, whether it landed or not. */
  sentBy(line: string): Archive[] {
    return [...this.#sent.values()].map(({ archive }) => archive).filter(({ name }) => this.checks.lines.get(name) === line);
  }

  check(): void {
    if (this.fault !== undefined) throw this.fault;
    this.checks.store();
  }
}

const idOf = (name: string): string => name.slice(0, name.indexOf("."));

export function archiveOf(name: string, bytes: Uint8Array): Archive {
  const { head, lines } = readArchive(name, bytes);
  const records: Rec[] = [];
  for (const line of lines) {
    if (line.kind === "d") records.push({ path: line.path, stamp: line.stamp, kind: "directory", content: "", at: "" });
    if (line.kind === "f") records.push({ path: line.path, stamp: line.stamp, kind: "file", content: line.sha256, at: head.id });
    if (line.kind === "r") records.push({ path: line.path, stamp: line.stamp, kind: "file", content: line.sha256, at: line.id });
  }
  const own = records.some(({ stamp }) => stamp[0] === head.time && stamp[1] === head.writer);
  const tombs = lines.flatMap((line) => (line.kind === "t" ? [{ path: line.path, upTo: line.stamp, born: line.bornMs, doubt: true }] : []));
  return {
    name: head.id,
    stamp: [head.time, head.writer],
    writer: head.writer,
    // Nothing with its own stamp: packed again or taken over.
    kind: own || records.length === 0 ? "group" : "repack",
    records,
    tombs,
    claims: lines.flatMap((line) => (line.kind === "o" ? [{ of: line.writer, by: line.by, stamp: [line.time, line.by] as const, born: line.bornMs }] : [])),
  };
}

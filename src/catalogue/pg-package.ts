/** The `pg` package, loaded when a catalogue is first used, as far as it is used. */
import { packageLoader } from "../store/index.ts";

export interface PgResult {
  readonly rows: unknown[];
  readonly rowCount: number | null;
}
export interface PgClient {
  query(sql: string, values?: readonly unknown[]): Promise<PgResult>;
  on(event: "error" | "end", listener: (error?: Error) => void): unknown;
  off(event: "error" | "end", listener: (error?: Error) => void): unknown;
  /** With an error: the connection is thrown away. */
  release(error?: boolean): void;
}
export interface PgPool {
  connect(): Promise<PgClient>;
  on(event: "error", listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}
export interface PgPackage {
  readonly default: {
    readonly Pool: new (options: Readonly<Record<string, unknown>>) => PgPool;
    readonly types: { getTypeParser(type: number, format?: string): (text: string) => unknown };
  };
}

export const loadPg: () => Promise<PgPackage> = packageLoader("a PostgreSQL catalogue", "pg", () => import("pg"));

const INT8 = 20;
const NUMERIC = 1700;

/** Eight-byte integers as numbers; one that a number cannot hold is an error and never another one. */
export function typesOf(pg: PgPackage): { getTypeParser(type: number, format?: string): (text: string) => unknown } {
  return {
    getTypeParser: (type, format) =>
      type === INT8 || type === NUMERIC
        ? (text: string) => {
            const value = Number(text);
            if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
              throw new RangeError("a number of the catalogue is too large");
            return value;
          }
        : pg.default.types.getTypeParser(type, format),
  };
}

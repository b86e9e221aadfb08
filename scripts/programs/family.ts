/** A kind of random programs that `npm run programs` can run by the hundred thousand: one per protocol. */
export interface Family {
  readonly name: string;
  /** Shown in turn, batch by batch: crashes, power failures, two clients. */
  readonly properties: readonly Property[];
}
export interface Property {
  readonly name: string;
  /** Runs that many programs of this seed. Resolves with what one of them showed, shrunk, or undefined. */
  check(seed: number, runs: number): Promise<Found>;
}
export interface Found {
  /** Programs that ran. */
  readonly runs: number;
  /** Whatever is worth adding up: commands, crashes, requests. */
  readonly figures: Readonly<Record<string, number>>;
  readonly failure?: { readonly program: unknown; readonly message: string } | undefined;
}

/** Where families are. A module gives one as its export `family`. */
export const families: Readonly<Record<string, string>> = {
  caching: "../../test/wrappers/caching/model/family.ts",
};

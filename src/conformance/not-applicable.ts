/** Rows of the behaviour table (reference/conformance.md section 2) that no check proves, each with the reason. A row that is proved must not stand here. */

export interface NotApplicable {
  readonly behaviour: number;
  readonly title: string;
  readonly reason: string;
}

export const notApplicable: readonly NotApplicable[] = [
  {
    behaviour: 71,
    title: "append",
    reason: "The contract has no append: a file is replaced whole. Random writes over whole files are a matter of the gateway (CF104).",
  },
  {
    behaviour: 73,
    title: "positional writes",
    reason: "The contract has no writes at an offset: a body is one sequence of bytes, and a file is replaced whole.",
  },
  {
    behaviour: 83,
    title: "versions: read, stat, delete, list, restore",
    reason:
      "The contract knows one version of a file; what a service keeps beyond it is told by the capability `undelete` and reached by the service's own tools.",
  },
  {
    behaviour: 84,
    title: "locks and lock tokens",
    reason: "The contract has no locks; `ifAbsent` and `ifMatch`, where they are declared, are what locks are made of, and they are proved by conditions.*.",
  },
];

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
  {
    behaviour: 87,
    title: "delimiter other than slash",
    reason: 'The contract has one separator: "/" is what a path is made of. That other characters are ordinary in names is proved by names.*.',
  },
  {
    behaviour: 104,
    title: "glob",
    reason: "The contract has no patterns: a name with * or [ is a name (names.*), and matching is a matter of the caller.",
  },
  {
    behaviour: 112,
    title: "cache-control, disposition, encoding of a response",
    reason: "The contract keeps a content type and the user's own metadata; headers for browsers are a matter of who serves the files.",
  },
  {
    behaviour: 114,
    title: "visibility, access lists, storage tiers",
    reason: "The contract has none of them: what is not there cannot be asked for, and an option that does not exist is a TypeError (errors.options.*).",
  },
  {
    behaviour: 143,
    title: "change notifications",
    reason: "The contract has no subscriptions. That changes of others are seen within the declared time is proved by concurrency.*.",
  },
  {
    behaviour: 149,
    title: "bad credentials, missing bucket",
    reason:
      "The suite is given stores that work and one that cannot be reached; wrong credentials and missing buckets are another store per service, and the tests of each provider have them.",
  },
  {
    behaviour: 152,
    title: "strict or lax error dialect, declared",
    reason: "There is one dialect: each refusal has one code on every store (errors.*, paths.*), and nothing to declare.",
  },
  {
    behaviour: 154,
    title: "disk full, quota",
    reason:
      "A full service cannot be asked for through a store. `no-space` is mapped by the tests of each provider; that it undoes what it interrupts is proved by copy.taken-back.",
  },
  {
    behaviour: 155,
    title: "presigned and public links",
    reason: "The contract gives bytes, not addresses.",
  },
  {
    behaviour: 162,
    title: "write-back queue",
    reason: "A matter of the caching layer, which comes with its own checks; no store of this suite acknowledges a write before it is stored.",
  },
  {
    behaviour: 163,
    title: "cache eviction, quota, dirty items",
    reason: "A matter of the caching layer, which comes with its own checks.",
  },
  {
    behaviour: 164,
    title: "crash (SIGKILL, log replay)",
    reason:
      "A bare store keeps nothing of its own that a crash could tear; crash runs come with the layers that persist. Kills at the service's side are played on the wire (wire.*).",
  },
  {
    behaviour: 167,
    title: "sync and async parity, parity between languages",
    reason: "There is one interface, asynchronous, in one language. That the backend below the front says the same is proved by errors.backend and stack.*.",
  },
  {
    behaviour: 170,
    title: "speed with correctness",
    reason:
      "The report has times and requests beside each check; goals of speed are measured side by side with other clients by `npm run bench`, not judged here.",
  },
];

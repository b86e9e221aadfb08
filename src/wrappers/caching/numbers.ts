/** One counter for rows, generations, barriers and files: session × 2^32 + n, so no write per number, and none is ever used twice. */

const PER_SESSION = 2 ** 32;

export class Numbers {
  readonly session: number;
  #last: number;

  readonly #rowId: (() => number) | undefined;

  /** `rowId`: ids of rows from elsewhere, where the rule of one counter is turned around. */
  constructor(session: number, rowId?: () => number) {
    this.#rowId = rowId;
    this.session = session;
    this.#last = session * PER_SESSION;
  }

  next(): number {
    return ++this.#last;
  }

  /** Of a new row of the tree. */
  row(): number {
    return this.#rowId?.() ?? this.next();
  }

  /** Everything made up to now has this number or a lower one. */
  get newest(): number {
    return this.#last;
  }
}

export function sessionOf(number: number): number {
  return Math.floor(number / PER_SESSION);
}

export function countOf(number: number): number {
  return number % PER_SESSION;
}

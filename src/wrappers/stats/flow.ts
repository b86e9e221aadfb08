/** One direction of transfers: its bytes, and the time in which at least one of them was open, so that two parallel seconds are one. */

const SLOTS = 60;

export class Flow {
  /** Bytes that passed. */
  bytes = 0;
  /** Those of calls that succeeded. */
  bytesOk = 0;
  /** What `reset` took from the two, for counters that never go back. */
  #bytesBefore = 0;
  #busyBefore = 0;
  #open = 0;
  /** Since when one has been open, as far as it is not in `#busyMs` yet. */
  #since = 0;
  #busyMs = 0;
  /** Up to when `#busyMs` holds everything. */
  #settled = 0;
  /** The last window, in slots: bytes and busy time of each. */
  readonly #slotBytes = new Float64Array(SLOTS);
  readonly #slotBusy = new Float64Array(SLOTS);
  #slotMs: number;
  /** Number of the newest slot, counted from the start of the clock. */
  #newest: number;

  constructor(windowMs: number, now: number) {
    this.#slotMs = windowMs / SLOTS;
    this.#newest = Math.floor(now / this.#slotMs);
  }

  get open(): number {
    return this.#open;
  }
  get lifetimeBytes(): number {
    return this.#bytesBefore + this.bytes;
  }
  lifetimeBusyMs(now: number): number {
    return this.#busyBefore + this.busyMs(now);
  }

  /** `at` may lie back: of a body that came whole with its reply it is known afterwards. What was busy already is not busy twice. */
  begin(at: number): void {
    if (this.#open++ === 0) this.#since = Math.max(at, this.#settled);
  }

  add(bytes: number, now: number): void {
    this.bytes += bytes;
    this.#advance(now);
    const at = this.#newest % SLOTS;
    this.#slotBytes[at] = (this.#slotBytes[at] as number) + bytes;
  }

  end(now: number): void {
    if (--this.#open === 0) this.#settle(now);
  }

  /** Time in which a transfer was open, milliseconds since the start. */
  busyMs(now: number): number {
    if (this.#open > 0) this.#settle(now);
    return this.#busyMs;
  }

  /** Bytes per second of busy time within the last window; 0 without transfers. */
  rate(now: number): number {
    if (this.#open > 0) this.#settle(now);
    this.#advance(now);
    let bytes = 0;
    let busy = 0;
    for (let i = 0; i < SLOTS; i++) {
      bytes += this.#slotBytes[i] as number;
      busy += this.#slotBusy[i] as number;
    }
    return perSecond(bytes, busy);
  }

  /** The same since the start. */
  totalRate(now: number): number {
    return perSecond(this.bytes, this.busyMs(now));
  }

  /** From now on with another window; what the old one held is forgotten. */
  resize(windowMs: number, now: number): void {
    if (this.#open > 0) this.#settle(now);
    this.#slotMs = windowMs / SLOTS;
    this.#clear(now);
  }

  /** Transfers that are open stay open. */
  reset(now: number): void {
    this.#bytesBefore += this.bytes;
    this.#busyBefore += this.busyMs(now);
    this.bytes = 0;
    this.bytesOk = 0;
    this.#busyMs = 0;
    this.#since = now;
    this.#settled = now;
    this.#clear(now);
  }

  #clear(now: number): void {
    this.#slotBytes.fill(0);
    this.#slotBusy.fill(0);
    this.#newest = Math.floor(now / this.#slotMs);
  }

  /** What was busy up to now is in the sum and in its slots. */
  #settle(now: number): void {
    this.#advance(now);
    this.#busyMs += now - this.#since;
    let from = Math.max(this.#since, (this.#newest - SLOTS + 1) * this.#slotMs);
    for (let slot = Math.floor(from / this.#slotMs); slot <= this.#newest; slot++) {
      const to = Math.min(now, (slot + 1) * this.#slotMs);
      if (to > from) this.#slotBusy[slot % SLOTS] = (this.#slotBusy[slot % SLOTS] as number) + (to - from);
      from = Math.max(from, to);
    }
    this.#since = now;
    this.#settled = now;
  }

  /** Slots that have begun since the newest are empty. */
  #advance(now: number): void {
    const newest = Math.floor(now / this.#slotMs);
    const fresh = Math.min(SLOTS, newest - this.#newest);
    for (let i = 0; i < fresh; i++) {
      this.#slotBytes[(newest - i) % SLOTS] = 0;
      this.#slotBusy[(newest - i) % SLOTS] = 0;
    }
    if (newest > this.#newest) this.#newest = newest;
  }
}

function perSecond(bytes: number, busyMs: number): number {
  return busyMs > 0 ? (bytes / busyMs) * 1000 : 0;
}

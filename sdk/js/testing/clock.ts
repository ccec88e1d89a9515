/** The test host's clock. It stands still but for what waits for it. */

/** Milliseconds since 1970, moved by hand and by waiting. */
export class TestClock {
  #elapsedMs = 0;
  /** The time of day when the host began, as far as is known now. */
  #begunMs: number;

  constructor(ms: number) {
    this.#begunMs = ms;
  }

  /** The time of day. */
  get nowMs(): number {
    return this.#begunMs + this.#elapsedMs;
  }

  /** Nanoseconds since the host began. */
  get nanos(): number {
    return Math.round(this.#elapsedMs * 1_000_000);
  }

  /** Lets time go by. */
  advance(ms: number): void {
    this.#elapsedMs += ms;
  }

  /** Sets the time of day, back too; a call's deadline stays as far away as it was. */
  set(time: number | string | Date): void {
    this.#begunMs = timeOf(time) - this.#elapsedMs;
  }
}

/** A time as tests write it: `"2026-11-22T10:00:00+08:00"`. */
export function timeOf(time: number | string | Date): number {
  const ms = typeof time === "number" ? time : new Date(time).getTime();
  if (Number.isNaN(ms)) {
    throw new TypeError(`${String(time)} is no time; write 2026-11-22T10:00:00+08:00`);
  }
  return ms;
}

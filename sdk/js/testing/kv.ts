/** Key-values in memory, with the bounds, versions and times to live of the real host. */

import { decode, encode } from "../src/text.ts";
import { HostAnswer } from "./answer.ts";
import type { TestClock } from "./clock.ts";

/** Bytes of a key. */
const KEY_BYTES_MAX = 256;

/** Keys listed at once. */
const KEYS_LISTED_MAX = 1_000;

/** What grants.yaml gives by `kv: true`. */
export const KV_GRANT = { bytes: 1 << 20, keys: 1_000, valueBytes: 64 << 10 };

/** How much a plugin may keep. */
export type KvGrant = typeof KV_GRANT;

interface Kept {
  readonly value: Uint8Array;
  readonly version: number;
  readonly untilMs: number | null;
}

/** A plugin's own store. */
export class TestKv {
  readonly #entries = new Map<string, Kept>();
  readonly #clock: TestClock;
  readonly #grant: KvGrant;
  /** The last version given to any key: a key that comes back is not taken for the old one. */
  #version = 0;
  #away: string | null = null;
  #raced: (() => void)[] = [];

  constructor(clock: TestClock, grant: Partial<KvGrant>) {
    this.#clock = clock;
    this.#grant = { ...KV_GRANT, ...grant };
  }

  /** Makes every question fail as `unavailable` with this reason, until it is given `null`. */
  goAway(why: string | null): void {
    this.#away = why;
  }

  /** Lets another call get in between: `act` runs just before the next `set-if` looks. */
  beforeNextSetIf(act: () => void): void {
    this.#raced.push(act);
  }

  /** What is kept, as text. */
  get texts(): Record<string, string> {
    return Object.fromEntries(this.#live().map(([key, { value }]) => [key, decode(value)]));
  }

  get(key: string): { value: Uint8Array; version: number } | null {
    this.#asked(key);
    const kept = this.#present(key);
    return kept === undefined ? null : { value: kept.value.slice(), version: kept.version };
  }

  set(key: string, value: Uint8Array, ttlS: number | null): number {
    this.#asked(key);
    return this.#put(key, value, ttlS);
  }

  setIf(key: string, value: Uint8Array, expected: number | null, ttlS: number | null): number {
    this.#raced.shift()?.();
    this.#asked(key);
    this.#fits(value);
    const present = this.#present(key)?.version ?? null;
    if (present !== expected) {
      throw new HostAnswer({ tag: "conflict", val: present });
    }
    return this.#put(key, value, ttlS);
  }

  delete(key: string): void {
    this.#asked(key);
    this.#entries.delete(key);
  }

  keys(prefix: string, after: string | null, limit: number): string[] {
    this.#available();
    if (encode(prefix).length > KEY_BYTES_MAX) {
      throw new HostAnswer({ tag: "too-large" });
    }
    return this.#live()
      .map(([key]) => key)
      .filter((key) => key.startsWith(prefix) && (after === null || compare(key, after) > 0))
      .sort(compare)
      .slice(0, Math.min(limit, KEYS_LISTED_MAX));
  }

  #put(key: string, value: Uint8Array, ttlS: number | null): number {
    this.#fits(value);
    const others = this.#live().filter(([other]) => other !== key);
    const bytes = others.reduce((sum, [other, kept]) => sum + size(other, kept.value), 0);
    if (others.length + 1 > this.#grant.keys || bytes + size(key, value) > this.#grant.bytes) {
      throw new HostAnswer({ tag: "full" });
    }
    this.#version += 1;
    this.#entries.set(key, {
      value: value.slice(),
      version: this.#version,
      untilMs: ttlS === null ? null : this.#clock.nowMs + ttlS * 1_000,
    });
    return this.#version;
  }

  #asked(key: string): void {
    this.#available();
    if (key === "" || encode(key).length > KEY_BYTES_MAX) {
      throw new HostAnswer({ tag: "too-large" });
    }
  }

  #available(): void {
    if (this.#away !== null) {
      throw new HostAnswer({ tag: "unavailable", val: this.#away });
    }
  }

  #fits(value: Uint8Array): void {
    if (value.length > this.#grant.valueBytes) {
      throw new HostAnswer({ tag: "too-large" });
    }
  }

  #present(key: string): Kept | undefined {
    const kept = this.#entries.get(key);
    return kept !== undefined && (kept.untilMs === null || kept.untilMs > this.#clock.nowMs) ? kept : undefined;
  }

  #live(): [string, Kept][] {
    return [...this.#entries].filter(([key]) => this.#present(key) !== undefined);
  }
}

function size(key: string, value: Uint8Array): number {
  return encode(key).length + value.length;
}

/** In order of their bytes. */
function compare(one: string, other: string): number {
  return Buffer.compare(encode(one), encode(other));
}

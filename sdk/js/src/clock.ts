/** The time of day, to tell how old something is. `Date` asks the same clock. */

/// <reference path="./bindings.d.ts" />
import { now as ask } from "real:clocks/wall-clock@0.2.6";

/**
 * Milliseconds since 1970-01-01T00:00:00Z. The host's clock may be set back: a time read earlier can
 * lie in the future of one read later.
 */
export function now(): number {
  const { seconds, nanoseconds } = ask();
  return seconds * 1_000 + Math.floor(nanoseconds / 1_000_000);
}

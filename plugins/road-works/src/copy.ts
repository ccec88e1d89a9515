/** A copy of the feed, and what its age means. Pure: the time is an argument. */

import type { Feed } from "./feed.ts";

/** After a failure the feed is left alone for this long, while a copy serves. */
const RETRY_AFTER_MS = 5_000;

/** The feed as it was, as it is kept. Times are milliseconds since 1970. */
export interface Copy {
  readonly feed: Feed;
  readonly etag: string | null;
  readonly fetchedMs: number;
  readonly failedMs: number | null;
}

/** How old a copy may be. */
export interface Ages {
  /** Older, and the feed is asked again. */
  readonly refreshMs: number;
  /** Older, and it is not given out any more. */
  readonly staleMaxMs: number;
}

/**
 * What to do with a copy: answer from it; ask the feed, and answer from it if that fails; answer from
 * it as stale, since the feed failed a moment ago; or nothing, since it is too old.
 */
export type Standing = "fresh" | "due" | "waiting" | "unusable";

/** What to do with a copy. A time in the future means that the clock was set back: long past. */
export function standing(copy: Copy, now: number, ages: Ages): Standing {
  const age = now - copy.fetchedMs;
  if (age >= 0 && age < ages.refreshMs) {
    return "fresh";
  }
  // A copy is never given up before it is due.
  if (age > Math.max(ages.staleMaxMs, ages.refreshMs)) {
    return "unusable";
  }
  const sinceFailure = copy.failedMs === null ? -1 : now - copy.failedMs;
  return sinceFailure >= 0 && sinceFailure < RETRY_AFTER_MS ? "waiting" : "due";
}

/** The same copy, which the feed just called unchanged. */
export function renewed(copy: Copy, now: number): Copy {
  return { ...copy, fetchedMs: now, failedMs: null };
}

/** The same copy, after the feed failed to renew it. */
export function failed(copy: Copy, now: number): Copy {
  return { ...copy, failedMs: now };
}

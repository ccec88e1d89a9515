/**
 * Answers with the traffic police's road works and closures.
 *
 * The police publish a JSON feed over HTTP. This component keeps the last good copy in its key-values,
 * asks again when the copy is older than the setting `refresh-s`, and goes on with it, saying so,
 * while the feed is down. `feed.ts` reads the feed and finds in it, `copy.ts` knows what to do with a
 * copy of some age, `news.ts` what is new: all three are pure.
 */

import { Refusal, call, clock, config, http, kv, log } from "@trunkline/sdk";
import { type Copy, failed, renewed, standing } from "./copy.ts";
import { type Feed, district, inForce, inLanguage, read } from "./feed.ts";
import { type Known, affected, news } from "./news.ts";
import type { Change, Notice, NoticeError, Works } from "./wit.d.ts";

/** Where the copy and what is known are kept. The numbers change with the form of each. */
const COPY_KEY = "copy-1";
const KNOWN_KEY = "known-1";

/** Bytes of the feed: with what is known of it, a value has to fit into the host's bound. */
const FEED_BYTES_MAX = 48 * 1024;

/** Time kept back from the call's own, to answer from the copy rather than be stopped. */
const ANSWER_MARGIN_MS = 100;

/** Goes at keeping what is known, when other calls keep it at the same time. */
const KEEP_ATTEMPTS_MAX = 4;

/** Hours by which the city is ahead of UTC. */
const AHEAD_OF_UTC_HOURS = 8;

export const works: Works = {
  latest(name: string): Notice {
    const { feed, stale } = current();
    const found = district(feed, name);
    if (found === undefined) {
      throw new Refusal<NoticeError>({ tag: "unknown-district" });
    }
    const [first, ...others] = inForce(feed, found, today());
    if (first === undefined) {
      throw new Refusal<NoticeError>({ tag: "no-notice" });
    }
    const { locale } = call.current();
    return {
      id: first.id,
      kind: first.kind,
      road: inLanguage(first.road, locale),
      text: inLanguage(first.text, locale),
      district: inLanguage(found.names, locale),
      begins: first.begins,
      ends: first.ends,
      others: others.length,
      stale,
    };
  },

  changes(): Change[] {
    const { id } = call.current();
    const feed = asked();
    for (let attempt = 1; attempt <= KEEP_ATTEMPTS_MAX; attempt += 1) {
      const before = knownBefore();
      const { changes, known } = news(feed, before?.value ?? null, id);
      if (known === before?.value || keptKnown(known, before?.version ?? null)) {
        return changes;
      }
    }
    throw new Refusal("others are asking for the changes at the same time");
  },

  affected(change: Change): string[] {
    return change.districts.length > 0 ? change.districts : affected(asked(), change);
  },
};

/** The feed to answer from, and whether it is a copy that could not be renewed. */
function current(): { feed: Feed; stale: boolean } {
  const now = clock.now();
  const copy = kept();
  const state = copy === null ? "unusable" : standing(copy, now, ages());
  if (copy === null || state === "unusable") {
    try {
      return { feed: keep(fetched(null, now)).feed, stale: false };
    } catch (error) {
      const why = told(error);
      log.warn(`the feed gave nothing and no copy is at hand: ${why}`);
      throw new Refusal<NoticeError>({ tag: "unreachable", val: why });
    }
  }
  if (state === "fresh") {
    return { feed: copy.feed, stale: false };
  }
  // The feed failed a moment ago: callers do not wait for it to fail again.
  if (state === "waiting") {
    return { feed: copy.feed, stale: true };
  }
  try {
    return { feed: keep(fetched(copy, now)).feed, stale: false };
  } catch (error) {
    log.warn(`the feed is down, its copy of ${Math.round((now - copy.fetchedMs) / 1_000)} s ago serves: ${told(error)}`);
    return { feed: keep(failed(copy, now)).feed, stale: true };
  }
}

/** The feed as it is now: what is new in it is no matter for an old copy. */
function asked(): Feed {
  try {
    return keep(fetched(kept(), clock.now())).feed;
  } catch (error) {
    throw new Refusal(told(error));
  }
}

/** Asks the feed, which may say that a copy is still good. */
function fetched(copy: Copy | null, now: number): Copy {
  const reply = http.get(config.require("url"), {
    headers: { accept: "application/json", ...(copy?.etag ? { "if-none-match": copy.etag } : {}) },
    timeoutMs: call.current().remainingLess(ANSWER_MARGIN_MS),
    replyBytesMax: FEED_BYTES_MAX,
  });
  if (reply.status === 304 && copy?.etag) {
    return renewed(copy, now);
  }
  if (reply.status !== 200) {
    throw new Error(`the feed answered ${reply.status}`);
  }
  return { feed: read(reply.json()), etag: reply.header("etag"), fetchedMs: now, failedMs: null };
}

function kept(): Copy | null {
  try {
    return kv.getJson<Copy>(COPY_KEY)?.value ?? null;
  } catch (error) {
    log.warn(`the kept copy of the feed cannot be read: ${told(error)}`);
    return null;
  }
}

/** Keeps a copy for the calls to come. This call has its answer whether that works or not. */
function keep(copy: Copy): Copy {
  try {
    kv.setJson(COPY_KEY, copy);
  } catch (error) {
    log.warn(`the feed cannot be kept, every call will ask for it: ${told(error)}`);
  }
  return copy;
}

function knownBefore(): kv.JsonEntry<Known> | null {
  try {
    return kv.getJson<Known>(KNOWN_KEY);
  } catch (error) {
    throw new Refusal(told(error));
  }
}

/** Keeps what is known; false when another call did so first. */
function keptKnown(known: Known, version: number | null): boolean {
  try {
    kv.setJsonIf(KNOWN_KEY, known, version);
    return true;
  } catch (error) {
    if (error instanceof kv.Conflict) {
      return false;
    }
    throw new Refusal(told(error));
  }
}

function ages(): { refreshMs: number; staleMaxMs: number } {
  return { refreshMs: secondsOr("refresh-s", 60) * 1_000, staleMaxMs: secondsOr("stale-max-s", 86_400) * 1_000 };
}

function secondsOr(name: string, otherwise: number): number {
  try {
    return config.getOr(name, otherwise, config.wholeNumber);
  } catch (error) {
    log.warn(`${told(error)}; ${otherwise} s hold`);
    return otherwise;
  }
}

/** The day in the city. */
function today(): string {
  return new Date(clock.now() + AHEAD_OF_UTC_HOURS * 3_600_000).toISOString().slice(0, 10);
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

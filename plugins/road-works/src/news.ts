/** What is new in a feed, against what was known of it. Pure. */

import { type Feed, LANGUAGE_OF_THE_CITY, type Work, inLanguage } from "./feed.ts";
import type { Change, Happening } from "./wit.d.ts";

/** Changes of one answer; the others follow with the next. */
export const CHANGES_MAX = 50;

/** What was known when it was last asked, as it is kept. */
export interface Known {
  /** By id, what was told of a hindrance. What is lifted has to be told without the feed. */
  readonly works: Readonly<Record<string, Told>>;
  /** The call that was answered last, and its answer. Asked again, it gets the same. */
  readonly answered: { readonly call: string; readonly changes: readonly Change[] } | null;
}

/** A hindrance as it was told of. */
interface Told {
  readonly print: string;
  readonly change: Omit<Change, "happening">;
}

/** What is new, and what is known from then on. */
export function news(feed: Feed, known: Known | null, call: string): { changes: Change[]; known: Known } {
  if (known?.answered?.call === call) {
    return { changes: [...known.answered.changes], known };
  }
  const now = new Map(feed.works.map((work) => [work.id, told(work)]));
  if (known === null) {
    return { changes: [], known: { works: Object.fromEntries(now), answered: { call, changes: [] } } };
  }
  const changes: Change[] = [];
  const works = new Map(Object.entries(known.works));
  const tell = (id: string, happening: Happening, what: Told): void => {
    if (changes.length === CHANGES_MAX) {
      return;
    }
    changes.push({ ...what.change, happening });
    if (happening === "lifted") {
      works.delete(id);
    } else {
      works.set(id, what);
    }
  };
  for (const [id, before] of Object.entries(known.works)) {
    if (!now.has(id)) {
      tell(id, "lifted", before);
    }
  }
  for (const { id } of [...feed.works].sort((one, other) => (one.begins < other.begins ? -1 : 1))) {
    const what = now.get(id);
    const before = known.works[id];
    if (what !== undefined && before?.print !== what.print) {
      tell(id, before === undefined ? "announced" : "changed", what);
    }
  }
  return { changes, known: { works: Object.fromEntries(works), answered: { call, changes } } };
}

/** The districts that a change is about. */
export function affected(feed: Feed, change: Change): string[] {
  return change.districts.length > 0 ? [...change.districts] : feed.districts.map(({ id }) => id);
}

function told(work: Work): Told {
  return {
    print: print(JSON.stringify([work.kind, work.districts, work.begins, work.ends, work.road, work.text])),
    change: {
      id: work.id,
      kind: work.kind,
      road: inLanguage(work.road, LANGUAGE_OF_THE_CITY),
      text: inLanguage(work.text, LANGUAGE_OF_THE_CITY),
      districts: [...work.districts],
    },
  };
}

/** A short name for a text: FNV-1a over its units, twice from different beginnings, in 64 bits. */
function print(text: string): string {
  let one = 0x811c9dc5;
  let other = 0x1b873593;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x85ebca6b) ^ (other >>> 13);
  }
  return [one, other].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

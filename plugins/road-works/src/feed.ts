/** The feed as the police publish it: reading it, and finding in it. Pure: the day is an argument. */

import type { Kind } from "./wit.d.ts";

/** A text by its language, a BCP 47 tag. */
export type Texts = Readonly<Record<string, string>>;

/** A district of the city. */
export interface District {
  readonly id: string;
  readonly names: Texts;
}

/** A hindrance. Days are written `2026-11-20`, so that their order is that of their texts. */
export interface Work {
  readonly id: string;
  readonly kind: Kind;
  /** Ids of districts; none means the whole city. */
  readonly districts: readonly string[];
  readonly begins: string;
  readonly ends: string | null;
  readonly road: Texts;
  readonly text: Texts;
}

/** What is published. */
export interface Feed {
  readonly districts: readonly District[];
  readonly works: readonly Work[];
}

/** Language of what has no better one. */
export const LANGUAGE_OF_THE_CITY = "zh-CN";

/** Kinds, what matters most first. */
const KINDS: readonly Kind[] = ["closure", "restriction", "works"];

/** Why what came is no feed. */
export class FeedError extends Error {
  override readonly name = "FeedError";
}

/**
 * Reads a feed. One fault refuses all of it: half a feed would say that a road is open.
 *
 * @throws {FeedError} which says where the fault is
 */
export function read(json: unknown): Feed {
  const feed = object(json, "the feed");
  const districts = array(feed["districts"], "districts").map((value, index) => {
    const where = `districts[${index}]`;
    const district = object(value, where);
    return { id: text(district["id"], `${where}.id`), names: texts(district["names"], `${where}.names`) };
  });
  const known = new Set(districts.map(({ id }) => id));
  const works = array(feed["works"], "works").map((value, index) => work(value, `works[${index}]`, known));
  const twice = works.find(({ id }, index) => works.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) {
    throw new FeedError(`two works have the id ${JSON.stringify(twice.id)}`);
  }
  return { districts, works };
}

/** The district of an id or of a name in any language; 西湖 and 西湖区, `Xihu` and `xihu district`. */
export function district(feed: Feed, name: string): District | undefined {
  const wanted = bare(name);
  if (wanted === "") {
    return undefined;
  }
  return feed.districts.find(({ id, names }) => id === wanted || Object.values(names).some((one) => bare(one) === wanted));
}

/** What is in force in a district on a day, what to know first first. */
export function inForce(feed: Feed, { id }: District, day: string): Work[] {
  return feed.works
    .filter((work) => work.districts.length === 0 || work.districts.includes(id))
    .filter((work) => work.begins <= day && (work.ends === null || day <= work.ends))
    .sort((one, other) => KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) || compare(other.begins, one.begins));
}

/** The text in a language, in another of the same family, in the city's, or in the first there is. */
export function inLanguage(texts: Texts, locale: string): string {
  const family = (tag: string): string | undefined => tag.split("-", 1)[0];
  const relative = Object.keys(texts).find((tag) => family(tag) === family(locale));
  const tag = [locale, relative, LANGUAGE_OF_THE_CITY].find((one) => one !== undefined && texts[one] !== undefined);
  return (tag === undefined ? Object.values(texts)[0] : texts[tag]) ?? "";
}

function work(value: unknown, where: string, known: ReadonlySet<string>): Work {
  const work = object(value, where);
  const kind = KINDS.find((one) => one === work["kind"]);
  if (kind === undefined) {
    throw new FeedError(`${where}.kind is ${shown(work["kind"])}, and not one of ${KINDS.join(", ")}`);
  }
  const districts = array(work["districts"], `${where}.districts`).map((id) => {
    if (typeof id !== "string" || !known.has(id)) {
      throw new FeedError(`${where}.districts names ${shown(id)}, which the feed does not list`);
    }
    return id;
  });
  const begins = day(work["begins"], `${where}.begins`);
  const ends = work["ends"] === null || work["ends"] === undefined ? null : day(work["ends"], `${where}.ends`);
  if (ends !== null && ends < begins) {
    throw new FeedError(`${where} ends on ${ends}, before it begins on ${begins}`);
  }
  return {
    id: text(work["id"], `${where}.id`),
    kind,
    districts,
    begins,
    ends,
    road: texts(work["road"], `${where}.road`),
    text: texts(work["text"], `${where}.text`),
  };
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FeedError(`${where} is ${shown(value)}, and no object`);
  }
  return value as Record<string, unknown>;
}

function array(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) {
    throw new FeedError(`${where} is ${shown(value)}, and no list`);
  }
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") {
    throw new FeedError(`${where} is ${shown(value)}, and no text`);
  }
  return value;
}

function texts(value: unknown, where: string): Texts {
  const pairs = Object.entries(object(value, where)).map(([tag, one]) => [tag, text(one, `${where}.${tag}`)] as const);
  if (pairs.length === 0) {
    throw new FeedError(`${where} has no text in any language`);
  }
  return Object.fromEntries(pairs);
}

function day(value: unknown, where: string): string {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value) || Number.isNaN(Date.parse(value))) {
    throw new FeedError(`${where} is ${shown(value)}, which is no day like 2026-11-20`);
  }
  return value;
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function bare(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/\s*district$/, "")
    .replace(/(?<=.)区$/, "");
}

/**
 * A small key-value store of the plugin's own, kept across calls and restarts.
 *
 * Other calls of the same plugin run at the same time: to change a value by what it was, read its
 * version and write with {@link setIf}.
 */

/// <reference path="./bindings.d.ts" />
import {
  delete as askDelete,
  get as askGet,
  keys as askKeys,
  set as askSet,
  setIf as askSetIf,
} from "trunkline:host/kv@0.1.0";
import { decode, encode } from "./text.ts";
import { asking } from "./thrown.ts";

/** A stored value. */
export interface Entry {
  readonly value: Uint8Array;
  /** Grows with every change of the key. */
  readonly version: number;
}

/** A value that was kept as JSON. */
export interface JsonEntry<T> {
  readonly value: T;
  /** Grows with every change of the key. */
  readonly version: number;
}

/** How a value is kept. */
export interface Keeping {
  /** After this time it is gone; rounded up to whole seconds. */
  readonly ttlMs?: number;
}

/** Why the store did not do it. */
export abstract class KvError extends Error {}

/** The key is empty or too long, or the value is too large. */
export class TooLarge extends KvError {
  override readonly name = "kv.TooLarge";

  constructor() {
    super("the key is empty or too long, or the value is too large");
  }
}

/** The plugin's quota is used up. */
export class Full extends KvError {
  override readonly name = "kv.Full";

  constructor() {
    super("the plugin's quota of keys or bytes is used up: delete some, or raise it in grants.yaml");
  }
}

/** Somebody else changed the key first. */
export class Conflict extends KvError {
  override readonly name = "kv.Conflict";
  /** The version it has now; `null` when it is gone. */
  readonly present: number | null;

  constructor(present: number | null) {
    super("the key changed meanwhile");
    this.present = present;
  }
}

/** The store did not answer. */
export class Unavailable extends KvError {
  override readonly name = "kv.Unavailable";
  /** What the host says of it. */
  readonly why: string;

  constructor(why: string) {
    super(`the store did not answer: ${why}`);
    this.why = why;
  }
}

/** The value is no JSON. */
export class Malformed extends KvError {
  override readonly name = "kv.Malformed";

  constructor(key: string, reason: unknown) {
    super(`the value of the key ${JSON.stringify(key)} is no JSON`, { cause: reason });
  }
}

/**
 * The entry of a key; `null` when there is none or its time is over.
 *
 * @throws {TooLarge} for a key that cannot be
 * @throws {Unavailable}
 */
export function get(key: string): Entry | null {
  return asking(() => askGet(key), translated);
}

/** As {@link get}, of a value that was kept as text. */
export function getText(key: string): string | null {
  const entry = get(key);
  return entry === null ? null : decode(entry.value);
}

/**
 * As {@link get}, of a value that was kept as JSON. Its form is the reader's to know: a value may be
 * from an older version of the plugin.
 *
 * @throws {Malformed} when it is no JSON
 */
export function getJson<T>(key: string): JsonEntry<T> | null {
  const entry = get(key);
  if (entry === null) {
    return null;
  }
  try {
    return { value: JSON.parse(decode(entry.value)) as T, version: entry.version };
  } catch (reason) {
    throw new Malformed(key, reason);
  }
}

/**
 * Sets a key whatever it held. Returns the new version.
 *
 * @throws {TooLarge}
 * @throws {Full}
 * @throws {Unavailable}
 */
export function set(key: string, value: Uint8Array | string, keeping: Keeping = {}): number {
  return asking(() => askSet(key, bytes(value), seconds(keeping)), translated);
}

/** As {@link set}, of a value as JSON. */
export function setJson(key: string, value: unknown, keeping: Keeping = {}): number {
  return set(key, JSON.stringify(value), keeping);
}

/**
 * Sets a key if its version is the expected one; `null` expects that it does not exist. Returns the
 * new version.
 *
 * @throws {Conflict} when it is not
 * @throws {TooLarge}
 * @throws {Full}
 * @throws {Unavailable}
 */
export function setIf(
  key: string,
  value: Uint8Array | string,
  expected: number | null,
  keeping: Keeping = {},
): number {
  return asking(() => askSetIf(key, bytes(value), expected, seconds(keeping)), translated);
}

/** As {@link setIf}, of a value as JSON. */
export function setJsonIf(key: string, value: unknown, expected: number | null, keeping: Keeping = {}): number {
  return setIf(key, JSON.stringify(value), expected, keeping);
}

function remove(key: string): void {
  asking(() => askDelete(key), translated);
}
export {
  /**
   * Removes a key; removing what is not there is fine.
   *
   * @throws {TooLarge} for a key that cannot be
   * @throws {Unavailable}
   */
  remove as delete,
};

/**
 * Up to `limit` keys that begin with the prefix, sorted, after `after` if given.
 *
 * @throws {Unavailable}
 */
export function keys(prefix: string, options: { after?: string; limit: number }): string[] {
  return asking(() => askKeys(prefix, options.after ?? null, options.limit), translated);
}

function bytes(value: Uint8Array | string): Uint8Array {
  return typeof value === "string" ? encode(value) : value;
}

function seconds({ ttlMs }: Keeping): number | null {
  return ttlMs === undefined ? null : Math.min(Math.max(0, Math.ceil(ttlMs / 1_000)), 0xffff_ffff);
}

function translated(answer: { tag: string; val?: unknown }): KvError {
  switch (answer.tag) {
    case "too-large":
      return new TooLarge();
    case "full":
      return new Full();
    case "conflict":
      return new Conflict((answer.val as number | null | undefined) ?? null);
    default:
      return new Unavailable(String(answer.val));
  }
}

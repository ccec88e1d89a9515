/** Settings that hotline.yaml gives the plugin under `config:`. */

/// <reference path="./bindings.d.ts" />
import { all as askAll, get as ask } from "trunkline:host/config@0.1.0";

/** A setting that is missing or that cannot be read. */
export abstract class ConfigError extends Error {
  /** The setting's name. */
  readonly setting: string;

  constructor(setting: string, message: string) {
    super(message);
    this.setting = setting;
  }
}

/** The plugin cannot do without it. */
export class Missing extends ConfigError {
  override readonly name = "config.Missing";

  constructor(setting: string) {
    super(
      setting,
      `the setting ${JSON.stringify(setting)} is missing: add \`${setting}: "…"\` under \`config:\` of this plugin in hotline.yaml`,
    );
  }
}

/** It has another form than the plugin reads. */
export class Malformed extends ConfigError {
  override readonly name = "config.Malformed";
  /** What hotline.yaml gives. */
  readonly found: string;

  constructor(setting: string, found: string, reason: string) {
    super(
      setting,
      `the setting ${JSON.stringify(setting)} is ${JSON.stringify(found)}: ${reason}; ` +
        `mend \`${setting}:\` under \`config:\` of this plugin in hotline.yaml`,
    );
    this.found = found;
  }
}

/** Reads a setting's text. What it throws says, as the end of a sentence, why the text is not it. */
export type Parse<T> = (text: string) => T;

/** One setting, or `null` when hotline.yaml does not give it. */
export function get(name: string): string | null {
  return ask(name);
}

/** All settings, sorted by name. */
export function all(): ReadonlyMap<string, string> {
  return new Map(askAll());
}

/**
 * A setting that the plugin cannot do without: its text, or what `parse` makes of it.
 *
 * @throws {Missing} when hotline.yaml does not give it
 * @throws {Malformed} when it does not read
 */
export function require(name: string): string;
export function require<T>(name: string, parse: Parse<T>): T;
export function require<T>(name: string, parse?: Parse<T>): T | string {
  const found = ask(name);
  if (found === null) {
    throw new Missing(name);
  }
  return parse === undefined ? found : read(name, found, parse);
}

/**
 * A setting of some type, or `otherwise` when hotline.yaml does not give it.
 *
 * @throws {Malformed} when it does not read
 */
export function getOr(name: string, otherwise: string): string;
export function getOr<T>(name: string, otherwise: T, parse: Parse<T>): T;
export function getOr<T>(name: string, otherwise: T | string, parse?: Parse<T>): T | string {
  const found = ask(name);
  if (found === null) {
    return otherwise;
  }
  return parse === undefined ? found : read(name, found, parse);
}

/** Reads a whole number from 0 to 2^53 - 1: a count, a number of seconds. */
export function wholeNumber(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw new TypeError("it is no whole number");
  }
  return number;
}

/** Reads a number: `0.45`, `-3`. */
export function number(text: string): number {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(number)) {
    throw new TypeError("it is no number");
  }
  return number;
}

/** Reads `true` or `false`. */
export function bool(text: string): boolean {
  if (text !== "true" && text !== "false") {
    throw new TypeError("it is neither true nor false");
  }
  return text === "true";
}

/** Reads words between commas; `""` is none. */
export function list(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function read<T>(name: string, found: string, parse: Parse<T>): T {
  try {
    return parse(found.trim());
  } catch (reason) {
    throw new Malformed(name, found, reason instanceof Error ? reason.message : String(reason));
  }
}

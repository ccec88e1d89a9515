/**
 * Lines for the operator's log, under the plugin's name. The host bounds the rate and masks nothing:
 * personal data does not belong here. `console` writes here too.
 */

/// <reference path="./bindings.d.ts" />
import { write as tell } from "trunkline:host/log@0.1.0";

/** How much a line matters. */
export type Level = "debug" | "info" | "warn" | "error";

/** Writes one line. */
export function write(level: Level, message: string): void {
  tell(level, message);
}

/** Writes a line that helps the department alone. */
export function debug(message: string): void {
  tell("debug", message);
}

/** Writes a line about the normal course of things. */
export function info(message: string): void {
  tell("info", message);
}

/** Writes a line about something that should be looked at. */
export function warn(message: string): void {
  tell("warn", message);
}

/** Writes a line about something that failed. */
export function error(message: string): void {
  tell("error", message);
}

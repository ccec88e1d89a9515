/** `console` over the operator's log. */

import { type Level, write } from "../log.ts";

const to =
  (level: Level) =>
  (...parts: unknown[]): void =>
    write(level, parts.map(shown).join(" "));

function shown(part: unknown): string {
  if (typeof part === "string") {
    return part;
  }
  if (part instanceof Error) {
    return `${part.name}: ${part.message}`;
  }
  try {
    return JSON.stringify(part) ?? String(part);
  } catch {
    return String(part);
  }
}

const console = /* @__PURE__ */ (() => ({
  debug: to("debug"),
  log: to("info"),
  info: to("info"),
  warn: to("warn"),
  error: to("error"),
}))();
export { console };

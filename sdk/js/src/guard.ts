/**
 * What the build puts around a plugin's functions.
 *
 * A refusal goes to the host as it is. Anything else that is thrown is a fault, of which the host
 * sees only that the component stopped: its message and stack are written to the operator's log.
 */

import * as log from "./log.ts";
import { Refusal } from "./refusal.ts";

/** Characters of a stack that are logged. */
const STACK_CHARS_MAX = 4_000;

/** The functions of an interface, each with what it throws seen to. */
export function guard(name: string, functions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(functions).map(([key, value]) => [
      key,
      typeof value === "function" ? guarded(`${name}.${key}`, value.bind(functions)) : value,
    ]),
  );
}

/** A function, with what it throws seen to. */
export function guarded(name: string, call: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return (...args) => {
    try {
      return call(...args);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) {
        log.error(`${name} threw ${described(thrown)}`);
        stop();
      }
      throw thrown;
    }
  };
}

/**
 * Stops the component. The runtime would take the message of an error for the refusal of a function
 * whose error is a text, and a flow would go the way of an answer that nobody gave. QuickJS's own clock
 * is a stub in a component, and asking a stub is a trap; where it is none, the error goes on.
 */
function stop(): void {
  const { performance } = globalThis as { performance?: { now(): number } };
  performance?.now();
}

function described(thrown: unknown): string {
  if (!(thrown instanceof Error)) {
    return String(thrown);
  }
  const stack = (thrown.stack ?? "").trimEnd();
  // Where QuickJS runs the stack has places only; V8 puts the message into it.
  const text = stack.includes(thrown.message) ? stack : `${thrown.name}: ${thrown.message}\n${stack}`;
  return text.slice(0, STACK_CHARS_MAX);
}

/**
 * `Math.random` over the host's random numbers. QuickJS draws its seed while the component is built,
 * and would say the same in every call.
 */

/// <reference path="../bindings.d.ts" />
import { getRandomBytes } from "real:random/random@0.2.6";

/** Numbers drawn by one question to the host. */
const DRAWN_AT_ONCE = 32;

const drawn: number[] = [];

function random(): number {
  if (drawn.length === 0) {
    const words = new Uint32Array(new Uint8Array(getRandomBytes(DRAWN_AT_ONCE * 8)).buffer);
    for (let at = 0; at < words.length; at += 2) {
      // 53 bits: what a double holds between 0 and 1.
      drawn.push((((words[at] ?? 0) >>> 5) * 0x4000000 + ((words[at + 1] ?? 0) >>> 6)) / 2 ** 53);
    }
  }
  return drawn.pop() ?? 0;
}
export { random as "Math.random" };

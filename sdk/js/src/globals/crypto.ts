/** Of `crypto` what needs no waiting: random numbers of the host's. */

/// <reference path="../bindings.d.ts" />
import { getRandomBytes } from "real:random/random@0.2.6";

/** Bytes drawn at once, as the Web Cryptography API bounds it. */
const BYTES_MAX = 65_536;

function getRandomValues<T extends Int8Array | Uint8Array | Uint16Array | Int32Array | Uint32Array>(into: T): T {
  if (into.byteLength > BYTES_MAX) {
    throw new RangeError(`at most ${BYTES_MAX} random bytes at once`);
  }
  new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(getRandomBytes(into.byteLength));
  return into;
}

function randomUUID(): string {
  const bytes = getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const crypto = { getRandomValues, randomUUID };
export { crypto };

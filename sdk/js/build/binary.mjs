/** Sections and numbers of a WebAssembly binary. */

const TEXT = new TextEncoder();

/** Sections of a component, by their id. */
export const COMPONENT = { custom: 0, module: 1, component: 4, instance: 5, alias: 6, import: 10, export: 11 };

/** Sections of a core module that hold a program's own bytes. */
export const MODULE = { custom: 0, code: 10, data: 11 };

/** Bytes of `\0asm` and the version. */
const HEADER_BYTES = 8;

/** The header of a binary, and its sections. */
export function sections(bytes) {
  const found = [];
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    const id = bytes[at];
    const [length, from] = number(bytes, at + 1);
    if (from + length > bytes.length) {
      throw new RangeError("a section is longer than the binary");
    }
    found.push({ id, body: bytes.subarray(from, from + length) });
    at = from + length;
  }
  return { header: bytes.subarray(0, HEADER_BYTES), sections: found };
}

/** The binary of a header and sections. */
export function binary(header, found) {
  return joined([header, ...found.flatMap(({ id, body }) => [Uint8Array.of(id), leb(body.length), body])]);
}

/** A custom section's body. */
export function custom(name, content) {
  const bytes = TEXT.encode(name);
  return joined([leb(bytes.length), bytes, content]);
}

/** The name of a custom section's body. */
export function customName(body) {
  const [length, from] = number(body, 0);
  return new TextDecoder().decode(body.subarray(from, from + length));
}

/** An unsigned LEB128 number at a place, and where it ends. */
export function number(bytes, at) {
  let value = 0;
  let scale = 1;
  for (let index = at; index < at + 5 && index < bytes.length; index += 1) {
    value += (bytes[index] & 0x7f) * scale;
    if (bytes[index] < 0x80) {
      return [value, index + 1];
    }
    scale *= 128;
  }
  throw new RangeError("a number in the binary does not end");
}

/** A number as unsigned LEB128. */
export function leb(value) {
  const bytes = [];
  let left = value;
  do {
    const low = left % 128;
    left = Math.floor(left / 128);
    bytes.push(left > 0 ? low + 128 : low);
  } while (left > 0);
  return Uint8Array.from(bytes);
}

/** Parts in a row. */
export function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

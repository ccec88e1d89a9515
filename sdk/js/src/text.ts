/** Text and its bytes in UTF-8, which QuickJS has no functions for. */

/** Bytes turned into a text at once: an argument each, so that the call's stack holds them. */
const CHUNK_BYTES = 8 * 1024;

const REPLACEMENT = 0xfffd;

/** The bytes of a text in UTF-8. Half a surrogate pair becomes U+FFFD. */
export function encode(text: string): Uint8Array {
  let bytes: string;
  try {
    // Both are written in C: far faster here than a loop over the text.
    bytes = unescape(encodeURIComponent(text));
  } catch {
    bytes = unescape(encodeURIComponent(wellFormed(text)));
  }
  const encoded = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) {
    encoded[at] = bytes.charCodeAt(at);
  }
  return encoded;
}

/** The text of bytes in UTF-8. What is none becomes U+FFFD; a byte order mark stays. */
export function decode(bytes: Uint8Array): string {
  let each = "";
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    each += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  try {
    return decodeURIComponent(escape(each));
  } catch {
    return decodeWithGaps(bytes);
  }
}

function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (found) =>
    found.length === 2 ? found : String.fromCharCode(REPLACEMENT),
  );
}

/** As the Encoding Standard decodes: one U+FFFD for each longest beginning of a character. */
function decodeWithGaps(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    at += 1;
    const shape = shapeOf(first);
    if (shape === undefined) {
      text += String.fromCodePoint(first < 0x80 ? first : REPLACEMENT);
      continue;
    }
    let point = first & shape.mask;
    let { lowest, highest } = shape;
    let left = shape.more;
    while (left > 0) {
      const next = bytes[at];
      if (next === undefined || next < lowest || next > highest) {
        break;
      }
      point = (point << 6) | (next & 0x3f);
      lowest = 0x80;
      highest = 0xbf;
      at += 1;
      left -= 1;
    }
    text += String.fromCodePoint(left === 0 ? point : REPLACEMENT);
  }
  return text;
}

/** Of a byte that begins a longer character: how many follow, and what the next of them may be. */
function shapeOf(first: number): { more: number; mask: number; lowest: number; highest: number } | undefined {
  if (first >= 0xc2 && first <= 0xdf) {
    return { more: 1, mask: 0x1f, lowest: 0x80, highest: 0xbf };
  }
  if (first >= 0xe0 && first <= 0xef) {
    return { more: 2, mask: 0x0f, lowest: first === 0xe0 ? 0xa0 : 0x80, highest: first === 0xed ? 0x9f : 0xbf };
  }
  if (first >= 0xf0 && first <= 0xf4) {
    return { more: 3, mask: 0x07, lowest: first === 0xf0 ? 0x90 : 0x80, highest: first === 0xf4 ? 0x8f : 0xbf };
  }
  return undefined;
}

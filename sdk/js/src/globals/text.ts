/** `TextEncoder` and `TextDecoder`, for UTF-8 alone. */

import { decode, encode } from "../text.ts";

class Utf8Encoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    return encode(text);
  }
}

class Utf8Decoder {
  readonly encoding = "utf-8";

  constructor(label = "utf-8") {
    if (!/^utf-?8$/i.test(label)) {
      throw new RangeError(`${label} cannot be decoded: only utf-8 can`);
    }
  }

  decode(bytes: Uint8Array | ArrayBuffer = new Uint8Array()): string {
    const text = decode(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes);
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}

export { Utf8Decoder as TextDecoder, Utf8Encoder as TextEncoder };

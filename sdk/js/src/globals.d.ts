// What a plugin finds beside the language's own objects. The build puts in those that are used:
// QuickJS alone has none of them, and its clock and its random numbers stand still in a component.
// Not there, since no host could grant them or nothing waits in a plugin: fetch, timers, files, Intl.

/** Writes to the operator's log. Personal data does not belong there. */
declare const console: {
  debug(...parts: unknown[]): void;
  log(...parts: unknown[]): void;
  info(...parts: unknown[]): void;
  warn(...parts: unknown[]): void;
  error(...parts: unknown[]): void;
};

/** Text to bytes in UTF-8. */
declare class TextEncoder {
  readonly encoding: "utf-8";
  encode(text?: string): Uint8Array;
}

/** Bytes in UTF-8 to text. */
declare class TextDecoder {
  constructor(label?: "utf-8" | "utf8");
  readonly encoding: "utf-8";
  decode(bytes?: Uint8Array | ArrayBuffer): string;
}

/** Random numbers of the host's. */
declare const crypto: {
  getRandomValues<T extends Int8Array | Uint8Array | Uint16Array | Int32Array | Uint32Array>(into: T): T;
  randomUUID(): string;
};

declare function atob(text: string): string;
declare function btoa(text: string): string;

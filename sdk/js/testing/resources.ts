/**
 * The resources of `wasi:io` and `wasi:http` in memory, as strict as the real ones: a handle that was
 * given away is gone, and a parent cannot go before its children.
 */

import type { ErrorCode } from "real:http/types@0.2.6";
import { HostAnswer, Stopped } from "./answer.ts";
import type { TestHost } from "./host.ts";
import { type TestReply, bodyOf } from "./http.ts";
import { active } from "./active.ts";

/** A handle of a plugin's. */
export class Resource {
  readonly #parent: Resource | null;
  #children = 0;
  #gone = false;

  constructor(parent: Resource | null = null) {
    this.#parent = parent;
    if (parent !== null) {
      parent.#children += 1;
    }
  }

  /** Stops the plugin if the handle is no more. */
  alive(): void {
    if (this.#gone) {
      throw new Stopped("trap", `${this.constructor.name} was used after it was dropped or given away`);
    }
  }

  /** Ends the handle: dropped, or given away. */
  [Symbol.dispose](): void {
    this.alive();
    if (this.#children > 0) {
      throw new Stopped("trap", `${this.constructor.name} was dropped before what was made of it`);
    }
    this.#gone = true;
    if (this.#parent !== null) {
      this.#parent.#children -= 1;
    }
  }
}

/** Something that becomes ready at a time of the host's clock. */
export class Pollable extends Resource {
  readonly #readyNanos: () => number;

  constructor(parent: Resource | null, readyNanos: () => number) {
    super(parent);
    this.#readyNanos = readyNanos;
  }

  get readyNanos(): number {
    this.alive();
    return this.#readyNanos();
  }
}

/** Waits until one is ready: the clock goes there at once. */
export function poll(what: readonly Pollable[]): number[] {
  const host = active();
  const first = Math.min(...what.map(({ readyNanos }) => readyNanos));
  host.waitUntil(first);
  return what.flatMap(({ readyNanos }, index) => (readyNanos <= host.clock.nanos ? [index] : []));
}

export class Fields extends Resource {
  readonly #entries: [string, Uint8Array][];
  readonly #immutable: boolean;

  constructor(entries: [string, Uint8Array][] = [], immutable = false, parent: Resource | null = null) {
    super(parent);
    this.#entries = entries;
    this.#immutable = immutable;
  }

  append(name: string, value: Uint8Array): void {
    this.alive();
    if (this.#immutable) {
      throw new HostAnswer({ tag: "immutable" });
    }
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || [...value].some((byte) => byte < 0x20 || byte === 0x7f)) {
      throw new HostAnswer({ tag: "invalid-syntax" });
    }
    if (/^(connection|host|http2-settings|keep-alive|proxy-.*|te|transfer-encoding|upgrade)$/i.test(name)) {
      throw new HostAnswer({ tag: "forbidden" });
    }
    this.#entries.push([name, value.slice()]);
  }

  entries(): [string, Uint8Array][] {
    this.alive();
    return this.#entries.map(([name, value]) => [name, value.slice()]);
  }
}

export class OutgoingRequest extends Resource {
  readonly headers: [string, Uint8Array][];
  method = "GET";
  scheme = "HTTPS";
  authority = "";
  path = "/";
  sent: OutgoingBody | null = null;

  constructor(headers: Fields) {
    super();
    this.headers = headers.entries();
    headers[Symbol.dispose]();
  }

  body(): OutgoingBody {
    this.alive();
    if (this.sent !== null) {
      throw new HostAnswer(undefined);
    }
    this.sent = new OutgoingBody();
    return this.sent;
  }

  setMethod(method: { tag: string; val?: string }): void {
    this.method = (method.val ?? method.tag).toUpperCase();
  }

  setScheme(scheme: { tag: string } | null): void {
    this.scheme = scheme?.tag ?? "HTTPS";
  }

  setAuthority(authority: string | null): void {
    if (authority === null || !/^(\[[0-9a-f:.]+\]|[^:[\]/@\s]+)(:\d+)?$/i.test(authority)) {
      throw new HostAnswer(undefined);
    }
    this.authority = authority;
  }

  setPathWithQuery(path: string | null): void {
    this.path = path ?? "/";
  }
}

export class OutgoingBody extends Resource {
  readonly chunks: Uint8Array[] = [];
  finished = false;

  write(): OutputStream {
    this.alive();
    return new OutputStream(this);
  }

  static finish(body: OutgoingBody): void {
    body[Symbol.dispose]();
    body.finished = true;
  }
}

/** Bytes that a stream takes at once. */
const PERMIT_BYTES = 16 * 1024;

export class OutputStream extends Resource {
  readonly #body: OutgoingBody;
  #permit = 0;

  constructor(body: OutgoingBody) {
    super(body);
    this.#body = body;
  }

  checkWrite(): number {
    this.alive();
    this.#permit = PERMIT_BYTES;
    return this.#permit;
  }

  write(bytes: Uint8Array): void {
    this.alive();
    if (bytes.length > this.#permit) {
      throw new Stopped("trap", "a stream was written more than it permitted");
    }
    this.#permit = 0;
    this.#body.chunks.push(bytes.slice());
  }

  subscribe(): Pollable {
    this.alive();
    return new Pollable(this, () => 0);
  }
}

export class RequestOptions extends Resource {
  setConnectTimeout(_nanos: number | null): void {
    this.alive();
  }

  setFirstByteTimeout(_nanos: number | null): void {
    this.alive();
  }

  setBetweenBytesTimeout(_nanos: number | null): void {
    this.alive();
  }
}

const NANOS_PER_MS = 1_000_000;

/** Hands a request to its service. */
export function handle(request: OutgoingRequest, options: RequestOptions | null): FutureIncomingResponse {
  request.alive();
  const host = active();
  const future = new FutureIncomingResponse(host, request);
  request[Symbol.dispose]();
  options?.[Symbol.dispose]();
  return future;
}

export class FutureIncomingResponse extends Resource {
  readonly #host: TestHost;
  readonly #request: OutgoingRequest;
  readonly #sentNanos: number;
  #reply: TestReply | null = null;
  #taken = false;

  constructor(host: TestHost, request: OutgoingRequest) {
    super();
    this.#host = host;
    this.#request = request;
    this.#sentNanos = host.clock.nanos;
  }

  subscribe(): Pollable {
    this.alive();
    return new Pollable(this, () => this.#sentNanos + (this.#answer().afterMs ?? 0) * NANOS_PER_MS);
  }

  get(): unknown {
    this.alive();
    const reply = this.#answer();
    if (this.#sentNanos + (reply.afterMs ?? 0) * NANOS_PER_MS > this.#host.clock.nanos) {
      return null;
    }
    if (this.#taken) {
      return { tag: "err" };
    }
    this.#taken = true;
    if (reply.error !== undefined) {
      return { tag: "ok", val: { tag: "err", val: reply.error } };
    }
    return { tag: "ok", val: { tag: "ok", val: new IncomingResponse(this.#host, reply, this.#origin()) } };
  }

  /** The service answers when its request is complete. */
  #answer(): TestReply {
    if (this.#request.sent?.finished === false) {
      return { afterMs: Number.POSITIVE_INFINITY };
    }
    this.#reply ??= this.#host.http.answer({
      method: this.#request.method,
      url: this.#origin() + this.#request.path,
      headers: this.#headers(),
      body: Buffer.concat(this.#request.sent?.chunks ?? []).toString("utf8"),
    });
    return this.#reply;
  }

  #headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [name, value] of this.#request.headers) {
      const key = name.toLowerCase();
      const text = this.#host.secrets.swapped(Buffer.from(value).toString("utf8"), new URL(this.#origin()).origin);
      headers[key] = headers[key] === undefined ? text : `${headers[key]}, ${text}`;
    }
    return headers;
  }

  #origin(): string {
    return `${this.#request.scheme.toLowerCase()}://${this.#request.authority}`;
  }
}

export class IncomingResponse extends Resource {
  readonly #host: TestHost;
  readonly #reply: TestReply;
  readonly #origin: string;
  #consumed = false;

  constructor(host: TestHost, reply: TestReply, origin: string) {
    super();
    this.#host = host;
    this.#reply = reply;
    this.#origin = new URL(origin).origin;
  }

  status(): number {
    this.alive();
    return this.#reply.status ?? 200;
  }

  headers(): Fields {
    this.alive();
    const entries = Object.entries(this.#reply.headers ?? {}).map(([name, value]): [string, Uint8Array] => [
      name.toLowerCase(),
      this.#host.secrets.masked(Buffer.from(value), this.#origin),
    ]);
    return new Fields(entries, true, this);
  }

  consume(): IncomingBody {
    this.alive();
    if (this.#consumed) {
      throw new HostAnswer(undefined);
    }
    this.#consumed = true;
    return new IncomingBody(this.#host, this.#reply, this.#host.secrets.masked(bodyOf(this.#reply), this.#origin));
  }
}

export class IncomingBody extends Resource {
  readonly #make: () => InputStream;

  constructor(host: TestHost, reply: TestReply, bytes: Uint8Array) {
    super();
    this.#make = () => new InputStream(this, host, reply, bytes);
  }

  stream(): InputStream {
    this.alive();
    return this.#make();
  }
}

export class InputStream extends Resource {
  readonly #host: TestHost;
  readonly #reply: TestReply;
  readonly #bytes: Uint8Array;
  #at = 0;
  #nextNanos: number;

  constructor(body: IncomingBody, host: TestHost, reply: TestReply, bytes: Uint8Array) {
    super(body);
    this.#host = host;
    this.#reply = reply;
    this.#bytes = bytes;
    this.#nextNanos = host.clock.nanos;
  }

  read(count: number): Uint8Array {
    this.alive();
    if (this.#nextNanos > this.#host.clock.nanos) {
      return new Uint8Array();
    }
    const breaks = this.#reply.breaksAfterBytes ?? Number.POSITIVE_INFINITY;
    if (this.#at >= breaks) {
      const error = new IoError({ tag: "connection-terminated" });
      throw new HostAnswer({ tag: "last-operation-failed", val: error });
    }
    if (this.#at >= this.#bytes.length) {
      throw new HostAnswer({ tag: "closed" });
    }
    const piece = Math.min(count, this.#reply.pieceBytes ?? count, breaks - this.#at);
    const bytes = this.#bytes.slice(this.#at, this.#at + piece);
    this.#at += bytes.length;
    this.#nextNanos = this.#host.clock.nanos + (this.#reply.pieceAfterMs ?? 0) * NANOS_PER_MS;
    return bytes;
  }

  subscribe(): Pollable {
    this.alive();
    return new Pollable(this, () => this.#nextNanos);
  }
}

export class IoError extends Resource {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super();
    this.code = code;
  }

  toDebugString(): string {
    this.alive();
    return this.code.tag;
  }
}

export function httpErrorCode(error: IoError): ErrorCode | null {
  error.alive();
  return error.code;
}

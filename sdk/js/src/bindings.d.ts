// The host's interfaces as the QuickJS runtime gives them to a module: functions in camel case, none
// as `null`, 64-bit integers as numbers, and an error case thrown as an `Error` whose `payload` is the
// case. The modules beside this file are what plugins see of them.
//
// `real:` is WASI: build/component.mjs says why it has another name until the component is done.

declare module "trunkline:host/call@0.1.0" {
  interface Context {
    id: string;
    attempt: number;
    locale: string;
    remainingMs: number;
  }
  export function current(): Context;
}

declare module "trunkline:host/log@0.1.0" {
  export function write(level: "debug" | "info" | "warn" | "error", message: string): void;
}

declare module "trunkline:host/config@0.1.0" {
  export function get(name: string): string | null;
  export function all(): [string, string][];
}

declare module "trunkline:host/kv@0.1.0" {
  interface Entry {
    value: Uint8Array;
    version: number;
  }
  export function get(key: string): Entry | null;
  export function set(key: string, value: Uint8Array, ttlS: number | null): number;
  export function setIf(key: string, value: Uint8Array, expected: number | null, ttlS: number | null): number;
  function remove(key: string): void;
  export { remove as delete };
  export function keys(prefix: string, after: string | null, limit: number): string[];
}

declare module "trunkline:host/secrets@0.1.0" {
  type Algorithm = "hmac-sha256" | "hmac-sha512" | "ed25519";
  export function placeholder(name: string): string;
  export function sign(name: string, algorithm: Algorithm, bytes: Uint8Array): Uint8Array;
}

declare module "real:clocks/wall-clock@0.2.6" {
  export function now(): { seconds: number; nanoseconds: number };
}

declare module "real:clocks/monotonic-clock@0.2.6" {
  import type { Pollable } from "real:io/poll@0.2.6";
  export function now(): number;
  export function subscribeDuration(nanos: number): Pollable;
}

declare module "real:random/random@0.2.6" {
  export function getRandomBytes(count: number): Uint8Array;
}

declare module "real:io/poll@0.2.6" {
  export interface Pollable {
    [Symbol.dispose](): void;
  }
  export function poll(what: Pollable[]): number[] | Uint32Array;
}

declare module "real:io/error@0.2.6" {
  export interface IoError {
    toDebugString(): string;
    [Symbol.dispose](): void;
  }
}

declare module "real:io/streams@0.2.6" {
  import type { Pollable } from "real:io/poll@0.2.6";
  export interface InputStream {
    read(count: number): Uint8Array;
    subscribe(): Pollable;
    [Symbol.dispose](): void;
  }
  export interface OutputStream {
    checkWrite(): number;
    write(bytes: Uint8Array): void;
    subscribe(): Pollable;
    [Symbol.dispose](): void;
  }
}

declare module "real:http/types@0.2.6" {
  import type { IoError } from "real:io/error@0.2.6";
  import type { Pollable } from "real:io/poll@0.2.6";
  import type { InputStream, OutputStream } from "real:io/streams@0.2.6";
  export interface ErrorCode {
    tag: string;
    val?: unknown;
  }
  export class Fields {
    append(name: string, value: Uint8Array): void;
    entries(): [string, Uint8Array][];
    [Symbol.dispose](): void;
  }
  export class OutgoingRequest {
    constructor(headers: Fields);
    body(): OutgoingBody;
    setMethod(method: { tag: string; val?: string }): void;
    setScheme(scheme: { tag: string } | null): void;
    setAuthority(authority: string | null): void;
    setPathWithQuery(path: string | null): void;
    [Symbol.dispose](): void;
  }
  export class OutgoingBody {
    write(): OutputStream;
    static finish(body: OutgoingBody, trailers: Fields | null): void;
    [Symbol.dispose](): void;
  }
  export class RequestOptions {
    setConnectTimeout(nanos: number | null): void;
    setFirstByteTimeout(nanos: number | null): void;
    setBetweenBytesTimeout(nanos: number | null): void;
    [Symbol.dispose](): void;
  }
  export class IncomingResponse {
    status(): number;
    headers(): Fields;
    consume(): IncomingBody;
    [Symbol.dispose](): void;
  }
  export class IncomingBody {
    stream(): InputStream;
    [Symbol.dispose](): void;
  }
  export class FutureIncomingResponse {
    subscribe(): Pollable;
    get():
      | null
      | { tag: "err" }
      | { tag: "ok"; val: { tag: "ok"; val: IncomingResponse } | { tag: "err"; val: ErrorCode } };
    [Symbol.dispose](): void;
  }
  export function httpErrorCode(error: IoError): ErrorCode | null;
}

declare module "real:http/outgoing-handler@0.2.6" {
  import type { FutureIncomingResponse, OutgoingRequest, RequestOptions } from "real:http/types@0.2.6";
  export function handle(request: OutgoingRequest, options: RequestOptions | null): FutureIncomingResponse;
}

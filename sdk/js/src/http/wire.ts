/**
 * One request over `wasi:http`, under one deadline.
 *
 * The host's resources form a tree, and a component that drops a parent before its child is stopped.
 * Each is therefore let go by hand, children first, rather than when QuickJS happens to collect it.
 */

/// <reference path="../bindings.d.ts" />
import { now, subscribeDuration } from "real:clocks/monotonic-clock@0.2.6";
import { handle } from "real:http/outgoing-handler@0.2.6";
import {
  type ErrorCode,
  Fields,
  type FutureIncomingResponse,
  type IncomingResponse,
  OutgoingBody,
  OutgoingRequest,
  RequestOptions,
  httpErrorCode,
} from "real:http/types@0.2.6";
import type { IoError } from "real:io/error@0.2.6";
import { type Pollable, poll } from "real:io/poll@0.2.6";
import { encode } from "../text.ts";
import type { Address } from "./address.ts";
import { BadAddress, BadHeader, Broken, Denied, HttpError, TimedOut, TooLarge, Unreachable } from "./errors.ts";

/** Bytes asked for by one read of a reply's body. */
const CHUNK_BYTES = 64 * 1024;

const NANOS_PER_MS = 1_000_000;

/** What is sent. */
export interface Outgoing {
  readonly method: string;
  readonly url: string;
  readonly address: Address;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  readonly replyBytesMax: number;
}

/** What came back. */
export interface Incoming {
  readonly status: number;
  readonly headers: [string, Uint8Array][];
  readonly body: Uint8Array;
}

export function send(outgoing: Outgoing): Incoming {
  const deadline = new Deadline(outgoing.timeoutMs);
  const request = requestOf(outgoing);
  // The body is taken before the request is handed over, and written after it: nobody reads what
  // is written before.
  const body = request.body();
  const future = handed(request, deadline);
  return using(future, () => {
    write(body, outgoing.body, deadline);
    return using(receive(future, deadline), (response) => ({
      status: response.status(),
      headers: using(response.headers(), (headers) => headers.entries()),
      body: read(response, outgoing.replyBytesMax, deadline),
    }));
  });
}

function requestOf(outgoing: Outgoing): OutgoingRequest {
  const headers = new Fields();
  const append = (name: string, value: string): void => {
    try {
      headers.append(name, encode(value));
    } catch {
      throw new BadHeader(name);
    }
  };
  for (const [name, value] of outgoing.headers) {
    append(name, value);
  }
  if (outgoing.body.length > 0) {
    append("content-length", String(outgoing.body.length));
  }
  const request = new OutgoingRequest(headers);
  const { secure, authority, pathWithQuery } = outgoing.address;
  try {
    request.setMethod({ tag: outgoing.method.toLowerCase() });
    request.setScheme({ tag: secure ? "HTTPS" : "HTTP" });
    request.setAuthority(authority);
    request.setPathWithQuery(pathWithQuery);
  } catch {
    throw new BadAddress(outgoing.url);
  }
  return request;
}

function handed(request: OutgoingRequest, deadline: Deadline): FutureIncomingResponse {
  try {
    return handle(request, optionsOf(deadline));
  } catch (thrown) {
    throw failure(thrown, deadline);
  }
}

/** Tells the host how long it may try; the deadline here holds whether it listens or not. */
function optionsOf(deadline: Deadline): RequestOptions {
  const options = new RequestOptions();
  for (const set of ["setConnectTimeout", "setFirstByteTimeout", "setBetweenBytesTimeout"] as const) {
    try {
      options[set](deadline.nanos);
    } catch {
      // A host without one of these timeouts says so, and the deadline stays.
    }
  }
  return options;
}

function write(body: OutgoingBody, bytes: Uint8Array, deadline: Deadline): void {
  if (bytes.length > 0) {
    using(body.write(), (stream) =>
      using(stream.subscribe(), (ready) => {
        let written = 0;
        while (written < bytes.length) {
          try {
            const count = Math.min(bytes.length - written, stream.checkWrite());
            stream.write(bytes.subarray(written, written + count));
            written += count;
          } catch {
            // A service may answer before it has read everything: the reply decides.
            return;
          }
          if (written < bytes.length) {
            deadline.wait(ready);
          }
        }
      }),
    );
  }
  try {
    OutgoingBody.finish(body, null);
  } catch {
    // Fails only when the service did not read all of it, and then the reply decides again.
  }
}

function receive(future: FutureIncomingResponse, deadline: Deadline): IncomingResponse {
  using(future.subscribe(), (ready) => deadline.wait(ready));
  const answer = future.get();
  if (answer === null || answer.tag === "err") {
    throw new Broken("the host woke the plugin without a reply");
  }
  if (answer.val.tag === "err") {
    throw fromCode(answer.val.val, deadline);
  }
  return answer.val.val;
}

function read(response: IncomingResponse, bytesMax: number, deadline: Deadline): Uint8Array {
  return using(response.consume(), (body) =>
    using(body.stream(), (stream) =>
      using(stream.subscribe(), (ready) => {
        const chunks: Uint8Array[] = [];
        let length = 0;
        for (;;) {
          deadline.wait(ready);
          let chunk: Uint8Array;
          try {
            chunk = stream.read(CHUNK_BYTES);
          } catch (thrown) {
            if (caseOf(thrown)?.tag === "closed") {
              return joined(chunks, length);
            }
            throw failure(thrown, deadline);
          }
          length += chunk.length;
          if (length > bytesMax) {
            throw new TooLarge(bytesMax);
          }
          chunks.push(chunk);
        }
      }),
    ),
  );
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Uses a resource and lets it go, whatever happens. */
function using<R extends { [Symbol.dispose](): void }, T>(resource: R, use: (resource: R) => T): T {
  try {
    return use(resource);
  } finally {
    resource[Symbol.dispose]();
  }
}

/** The error case that the host answered with, if that is what was thrown. */
function caseOf(thrown: unknown): { tag: string; val?: unknown } | undefined {
  if (thrown instanceof Error && "payload" in thrown) {
    return thrown.payload as { tag: string; val?: unknown } | undefined;
  }
  return undefined;
}

function failure(thrown: unknown, deadline: Deadline): unknown {
  if (thrown instanceof HttpError) {
    return thrown;
  }
  const answer = caseOf(thrown);
  if (answer === undefined) {
    return thrown;
  }
  if (answer.tag !== "last-operation-failed") {
    return fromCode(answer, deadline);
  }
  return using(answer.val as IoError, (error) => {
    const code = httpErrorCode(error);
    return code === null ? new Broken(error.toDebugString()) : fromCode(code, deadline);
  });
}

function fromCode(code: ErrorCode, deadline: Deadline): HttpError {
  switch (code.tag) {
    case "HTTP-request-denied":
    case "destination-IP-prohibited":
      return new Denied();
    case "connection-timeout":
    case "connection-read-timeout":
    case "connection-write-timeout":
    case "HTTP-response-timeout":
    case "DNS-timeout":
      return new TimedOut(deadline.totalMs);
    case "DNS-error":
    case "destination-not-found":
    case "destination-unavailable":
    case "destination-IP-unroutable":
    case "connection-refused":
    case "connection-limit-reached":
    case "TLS-protocol-error":
    case "TLS-certificate-error":
    case "TLS-alert-received":
      return new Unreachable(code.tag);
    case "internal-error":
      return new Broken(typeof code.val === "string" ? code.val : code.tag);
    default:
      return new Broken(code.tag);
  }
}

/** When a request ends, come what may. */
class Deadline {
  readonly totalMs: number;
  readonly nanos: number;
  /** Of the monotonic clock, in nanoseconds. */
  readonly #end: number;

  constructor(totalMs: number) {
    this.totalMs = Math.max(0, Math.floor(totalMs));
    this.nanos = Math.min(this.totalMs * NANOS_PER_MS, Number.MAX_SAFE_INTEGER);
    this.#end = Math.min(now() + this.nanos, Number.MAX_SAFE_INTEGER);
  }

  /** Waits until something is ready. */
  wait(ready: Pollable): void {
    const left = this.#end - now();
    if (left <= 0) {
      throw new TimedOut(this.totalMs);
    }
    using(subscribeDuration(left), (over) => {
      if (!poll([ready, over]).includes(0)) {
        throw new TimedOut(this.totalMs);
      }
    });
  }
}

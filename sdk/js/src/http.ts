/**
 * Requests to the services that the operator granted, by `wasi:http`.
 *
 * ```ts
 * const reply = http.post("http://127.0.0.1:7001/v1/citizens/find", {
 *   json: { phone },
 *   timeoutMs: call.current().remainingLess(50),
 * });
 * if (reply.ok) return reply.json<Citizen>();
 * ```
 *
 * Every request has a deadline over all of it and a bound on the reply's bytes. Redirects are not
 * followed: an address that was not granted is not reached by a detour. A call blocks until it has
 * its reply.
 */

import { parse } from "./http/address.ts";
import { BadAddress, Malformed } from "./http/errors.ts";
import { send } from "./http/wire.ts";
import { decode, encode } from "./text.ts";

export {
  BadAddress,
  BadHeader,
  Broken,
  Denied,
  HttpError,
  Malformed,
  TimedOut,
  TooLarge,
  Unreachable,
} from "./http/errors.ts";

/** Time for a whole request when none is given. */
export const TIMEOUT_MS_DEFAULT = 10_000;

/** Bytes of a reply's body when no other bound is given. */
export const REPLY_BYTES_MAX_DEFAULT = 256 * 1024;

/** How to ask. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What goes with a request. */
export interface Options {
  /** Headers; a list of pairs where a name comes twice. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** The body's bytes, or a text's in UTF-8. */
  readonly body?: Uint8Array | string;
  /** A body as JSON, which `content-type` then says. */
  readonly json?: unknown;
  /** Time for all of it: connecting, sending, and the reply to its last byte. */
  readonly timeoutMs?: number;
  /** How many bytes the reply's body may have. */
  readonly replyBytesMax?: number;
}

/** A whole reply, whatever its status. */
export class Reply {
  /** The status, such as 200. */
  readonly status: number;
  /** The headers as they came; names may repeat. */
  readonly headers: readonly (readonly [string, Uint8Array])[];
  /** The body's bytes. */
  readonly body: Uint8Array;
  readonly #url: string;

  constructor(url: string, status: number, headers: readonly (readonly [string, Uint8Array])[], body: Uint8Array) {
    this.#url = url;
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** Whether the status is one of 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The first header of a name, in any case, or `null`. */
  header(name: string): string | null {
    const wanted = name.toLowerCase();
    const found = this.headers.find(([other]) => other.toLowerCase() === wanted);
    return found === undefined ? null : decode(found[1]);
  }

  /** The body as text. */
  text(): string {
    return decode(this.body);
  }

  /**
   * Reads the body as JSON. Its form is the service's: check what matters before it is used.
   *
   * @throws {Malformed} when it is no JSON
   */
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text()) as T;
    } catch (reason) {
      throw new Malformed(this.#url, reason);
    }
  }
}

/** Sends a GET request and waits for the whole reply. Throws as {@link request} does. */
export function get(url: string, options: Omit<Options, "body" | "json"> = {}): Reply {
  return request("GET", url, options);
}

/** Sends a POST request and waits for the whole reply. Throws as {@link request} does. */
export function post(url: string, options: Options = {}): Reply {
  return request("POST", url, options);
}

/**
 * Sends a request and waits for the whole reply. A status that speaks of failure is a reply like any
 * other.
 *
 * @throws {BadAddress} {@link BadHeader} before anything is sent
 * @throws {Denied} when the operator's grants do not cover it
 * @throws {TimedOut} {@link Unreachable} {@link TooLarge} {@link Broken}
 */
export function request(method: Method, url: string, options: Options = {}): Reply {
  const address = parse(url);
  if (address === null) {
    throw new BadAddress(url);
  }
  const { headers = [], timeoutMs = TIMEOUT_MS_DEFAULT, replyBytesMax = REPLY_BYTES_MAX_DEFAULT } = options;
  const pairs = isPairs(headers) ? [...headers] : Object.entries(headers);
  let body = options.body ?? "";
  if (options.json !== undefined) {
    body = JSON.stringify(options.json);
    pairs.push(["content-type", "application/json"]);
  }
  const reply = send({
    method,
    url,
    address,
    headers: pairs,
    body: typeof body === "string" ? encode(body) : body,
    timeoutMs,
    replyBytesMax,
  });
  return new Reply(url, reply.status, reply.headers, reply.body);
}

function isPairs(headers: NonNullable<Options["headers"]>): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}

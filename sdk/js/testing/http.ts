/** Services that answer a plugin's requests by a script. What has no script is not granted. */

import { encode } from "../src/text.ts";
import type { ErrorCode } from "real:http/types@0.2.6";

/** A request as it arrived at the service: secrets are in place of their placeholders. */
export interface TestRequest {
  readonly method: string;
  readonly url: string;
  /** By lower-case name; values of a name that came twice are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a service does with a request. */
export interface TestReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly json?: unknown;
  /** Time until the reply begins; `Infinity` is never. */
  readonly afterMs?: number;
  /** Time until each further piece of the body. */
  readonly pieceAfterMs?: number;
  /** Bytes of a piece of the body; all of it at once unless given. */
  readonly pieceBytes?: number;
  /** The connection breaks when so many bytes of the body have come. */
  readonly breaksAfterBytes?: number;
  /** No reply but an error of the host's, such as `{ tag: "connection-refused" }`. */
  readonly error?: ErrorCode;
}

type Script = TestReply | ((request: TestRequest) => TestReply);

interface Route {
  readonly method: string;
  readonly matches: (url: string) => boolean;
  readonly script: Script[];
}

/** The services. */
export class TestHttp {
  readonly #routes: Route[] = [];
  readonly #requests: TestRequest[] = [];

  /** The requests that arrived, in order. */
  get requests(): readonly TestRequest[] {
    return this.#requests;
  }

  /**
   * Answers requests that a grant would cover: `"GET http://127.0.0.1:7002/v1/notices"`, or with `*`
   * at its end whatever begins so. With several replies each is given once, the last ever after. The
   * script given last for a request holds.
   */
  on(grant: string, ...script: [Script, ...Script[]]): this {
    const [method = "", pattern = "", ...rest] = grant.split(" ");
    if (pattern === "" || rest.length > 0) {
      throw new TypeError(`${JSON.stringify(grant)} is no request; write "GET http://127.0.0.1:7002/v1/notices"`);
    }
    const matches = pattern.endsWith("*")
      ? (url: string): boolean => url.startsWith(pattern.slice(0, -1))
      : (url: string): boolean => url === pattern || url.startsWith(`${pattern}?`);
    this.#routes.unshift({ method, matches, script: [...script] });
    return this;
  }

  /** What becomes of a request. */
  answer(request: TestRequest): TestReply {
    const route = this.#routes.find(({ method, matches }) => method === request.method && matches(request.url));
    if (route === undefined) {
      return { error: { tag: "HTTP-request-denied" } };
    }
    this.#requests.push(request);
    const next = route.script.length > 1 ? route.script.shift() : route.script[0];
    return typeof next === "function" ? next(request) : (next ?? {});
  }
}

/** The body's bytes of a reply. */
export function bodyOf(reply: TestReply): Uint8Array {
  if (reply.json !== undefined) {
    return encode(JSON.stringify(reply.json));
  }
  return typeof reply.body === "string" ? encode(reply.body) : (reply.body ?? new Uint8Array());
}

/** Why there is no reply. */

/** Why there is no reply, or no use of it. */
export abstract class HttpError extends Error {}

/** The address is none that can be requested. */
export class BadAddress extends HttpError {
  override readonly name = "http.BadAddress";
  /** What was given. */
  readonly url: string;

  constructor(url: string) {
    super(`${JSON.stringify(url)} is no address of the form http://host:port/path or https://host/path`);
    this.url = url;
  }
}

/** A header that may not be sent. */
export class BadHeader extends HttpError {
  override readonly name = "http.BadHeader";
  /** Its name. */
  readonly header: string;

  constructor(header: string) {
    super(
      `the header ${JSON.stringify(header)} cannot be sent: its name or value is malformed, or the host sets it itself`,
    );
    this.header = header;
  }
}

/** The operator's grants do not cover the request, or the address it resolves to. */
export class Denied extends HttpError {
  override readonly name = "http.Denied";

  constructor() {
    super("the host refused the request: grant it under `http:` of this plugin in grants.yaml");
  }
}

/** No complete reply came in time. */
export class TimedOut extends HttpError {
  override readonly name = "http.TimedOut";
  /** The time that the request had. */
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`no complete reply within ${afterMs} ms`);
    this.afterMs = afterMs;
  }
}

/** No connection could be made. */
export class Unreachable extends HttpError {
  override readonly name = "http.Unreachable";
  /** What the host says of it. */
  readonly why: string;

  constructor(why: string) {
    super(`the service is not reachable: ${why}`);
    this.why = why;
  }
}

/** The body has more bytes than were asked for. */
export class TooLarge extends HttpError {
  override readonly name = "http.TooLarge";
  /** The bound of the request. */
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    super(`the reply has more than ${bytesMax} bytes`);
    this.bytesMax = bytesMax;
  }
}

/** The connection broke or spoke no proper HTTP. */
export class Broken extends HttpError {
  override readonly name = "http.Broken";
  /** What the host says of it. */
  readonly why: string;

  constructor(why: string) {
    super(`the reply broke off: ${why}`);
    this.why = why;
  }
}

/** The body is no JSON. */
export class Malformed extends HttpError {
  override readonly name = "http.Malformed";

  constructor(url: string, reason: unknown) {
    super(`the reply of ${url} is no JSON`, { cause: reason });
  }
}

/** How the host answers with an error case, and how it stops a plugin. */

/** An error case, thrown as the QuickJS runtime throws it. */
export class HostAnswer extends Error {
  readonly payload: unknown;

  constructor(payload: unknown) {
    super("[object Object] (see error.payload)");
    this.payload = payload;
  }
}

/** What stops a plugin where it stands: a fault of this kind, as flows see it. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly kind: "trap" | "timed-out";

  constructor(kind: "trap" | "timed-out", why: string) {
    super(why);
    this.kind = kind;
  }
}

/** A function's own error, as its WIT declares it. */

/** A case of a variant, a case of an enum, a text, or nothing for a bare `result<T>`. */
export type ErrorCase = { readonly tag: string; readonly val?: unknown } | string | undefined;

/**
 * Thrown by a plugin's function to answer with an error of its own, which flows see as an edge.
 * Anything else that is thrown is a fault of the plugin.
 *
 * ```ts
 * throw new Refusal<NoticeError>({ tag: "unknown-district" });
 * throw new Refusal<NoticeError>({ tag: "unreachable", val: "no reply within 800 ms" });
 * ```
 */
export class Refusal<E extends ErrorCase = ErrorCase> extends Error {
  /** The error case; the runtime of the component hands this to the host. */
  readonly payload: E;

  constructor(payload: E) {
    super(typeof payload === "string" ? payload : (payload?.tag ?? "refused"));
    this.name = "Refusal";
    this.payload = payload;
  }
}

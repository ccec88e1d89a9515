/** The call under way. */

/// <reference path="./bindings.d.ts" />
import { current as ask } from "trunkline:host/call@0.1.0";

/** What a plugin may know about the call it answers. */
export class Context {
  /** Stable across attempts: use it as an idempotency key. */
  readonly id: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Language of the contact, a BCP 47 tag such as `zh-CN`. */
  readonly locale: string;
  /** Time that is left before the host stops this call. */
  readonly remainingMs: number;

  constructor(context: { id: string; attempt: number; locale: string; remainingMs: number }) {
    this.id = context.id;
    this.attempt = context.attempt;
    this.locale = context.locale;
    this.remainingMs = context.remainingMs;
  }

  /** The language without region or script: `zh` of `zh-CN`. */
  get language(): string {
    return this.locale.split("-", 1)[0] ?? "";
  }

  /**
   * The time that a request to another service may take so that a margin is left to put its failure
   * into an answer, rather than being stopped without one.
   */
  remainingLess(marginMs: number): number {
    return Math.max(0, this.remainingMs - marginMs);
  }
}

/** The context of the call under way, as of now. */
export function current(): Context {
  return new Context(ask());
}

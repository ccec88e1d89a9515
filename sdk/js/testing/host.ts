/** A host in memory, for one plugin, and what comes of the calls that are made on it. */

import { Refusal } from "../src/refusal.ts";
import { Stopped } from "./answer.ts";
import { TestClock, timeOf } from "./clock.ts";
import { TestHttp } from "./http.ts";
import { type KvGrant, TestKv } from "./kv.ts";
import { type TestSecret, TestSecrets } from "./secrets.ts";

/** What hotline.yaml, grants.yaml and the server would say. */
export interface HostOptions {
  /** Settings, as `config:` of hotline.yaml gives them. */
  readonly config?: Readonly<Record<string, string>>;
  /** Secrets by name, and where each may go. */
  readonly secrets?: Readonly<Record<string, TestSecret>>;
  /** How much may be kept; what is not given is as by `kv: true`. */
  readonly kv?: Partial<KvGrant>;
  /** The time of day at the start: `"2026-11-22T10:00:00+08:00"`. */
  readonly now?: number | string | Date;
}

/** What a call is told of itself. */
export interface CallOptions {
  /** The call's id; each call has one of its own unless it is given. */
  readonly id?: string;
  /** 1 unless given. */
  readonly attempt?: number;
  /** `zh-CN` unless given. */
  readonly locale?: string;
  /** Time of the call; 2000 unless given. At its end the plugin is stopped. */
  readonly timeMs?: number;
}

/** A line that the plugin logged. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
}

/** What came of a call, as a flow sees it. */
export type Outcome<T> =
  | { readonly tag: "ok"; readonly value: T }
  | { readonly tag: "refusal"; readonly error: unknown }
  | { readonly tag: "fault"; readonly kind: "trap" | "timed-out"; readonly cause: unknown };

const TIME_MS_DEFAULT = 2_000;
const NOW_DEFAULT = "2026-11-22T10:00:00+08:00";

/** Bytes of a line that the host keeps; the rest is cut. */
const LOG_LINE_BYTES_MAX = 4_096;

interface Context {
  readonly id: string;
  readonly attempt: number;
  readonly locale: string;
  /** When the plugin is stopped, in nanoseconds of the host's clock. */
  readonly endNanos: number;
}

/** The host. */
export class TestHost {
  readonly config: ReadonlyMap<string, string>;
  readonly clock: TestClock;
  readonly kv: TestKv;
  readonly secrets: TestSecrets;
  readonly http = new TestHttp();
  readonly log: LogLine[] = [];
  #context: Context | null = null;
  #calls = 0;

  constructor(options: HostOptions = {}) {
    this.config = new Map(Object.entries(options.config ?? {}).sort(([one], [other]) => (one < other ? -1 : 1)));
    this.clock = new TestClock(timeOf(options.now ?? NOW_DEFAULT));
    this.kv = new TestKv(this.clock, options.kv ?? {});
    this.secrets = new TestSecrets(options.secrets ?? {});
  }

  /**
   * Calls a function of the plugin as the host does, and tells what came of it. Unlike in the real
   * host, variables of the plugin's modules live on: a plugin that relies on them is broken.
   */
  call<T>(run: () => T, options: CallOptions = {}): Outcome<T> {
    // A call may come in between another: `kv.beforeNextSetIf`.
    const around = this.#context;
    this.#context = this.#contextOf(options);
    this.secrets.beginCall();
    try {
      const value = run();
      if (value instanceof Promise) {
        throw new Stopped("trap", "the function returned a promise, and nothing waits in a plugin");
      }
      return { tag: "ok", value };
    } catch (thrown) {
      if (thrown instanceof Refusal) {
        return { tag: "refusal", error: thrown.payload };
      }
      return { tag: "fault", kind: thrown instanceof Stopped ? thrown.kind : "trap", cause: thrown };
    } finally {
      this.#context = around;
    }
  }

  /** As {@link call}, of a call that has to be answered: its value. */
  ok<T>(run: () => T, options: CallOptions = {}): T {
    const outcome = this.call(run, options);
    if (outcome.tag === "ok") {
      return outcome.value;
    }
    throw outcome.tag === "fault"
      ? new Error(`a fault: ${outcome.kind}`, { cause: outcome.cause })
      : new Error(`a refusal: ${JSON.stringify(outcome.error)}`);
  }

  /** As {@link call}, of a call that has to be refused: the error case. */
  refused(run: () => unknown, options: CallOptions = {}): unknown {
    const outcome = this.call(run, options);
    if (outcome.tag === "refusal") {
      return outcome.error;
    }
    throw outcome.tag === "fault"
      ? new Error(`a fault: ${outcome.kind}`, { cause: outcome.cause })
      : new Error(`an answer: ${JSON.stringify(outcome.value)}`);
  }

  /** The call under way; outside of {@link call} one that has all of its time. */
  current(): { id: string; attempt: number; locale: string; remainingMs: number } {
    const { id, attempt, locale, endNanos } = this.#context ?? this.#contextOf({});
    const remainingMs = Math.max(0, Math.floor((endNanos - this.clock.nanos) / 1_000_000));
    return { id, attempt, locale, remainingMs };
  }

  /** Takes a line. */
  write(level: string, message: string): void {
    let bytes = Buffer.from(message);
    if (bytes.length > LOG_LINE_BYTES_MAX) {
      let end = LOG_LINE_BYTES_MAX;
      while (((bytes[end] ?? 0) & 0xc0) === 0x80) {
        end -= 1;
      }
      bytes = bytes.subarray(0, end);
    }
    this.log.push({ level, message: bytes.toString("utf8") });
  }

  /** Lets the plugin wait until a time of the clock, or until it is stopped. */
  waitUntil(nanos: number): void {
    const end = this.#context?.endNanos ?? Number.POSITIVE_INFINITY;
    const until = Math.min(nanos, end);
    if (until === Number.POSITIVE_INFINITY) {
      throw new Stopped("timed-out", "the plugin waits for what never comes");
    }
    this.clock.advance(Math.max(0, until - this.clock.nanos) / 1_000_000);
    if (nanos > end) {
      throw new Stopped("timed-out", "the time of the call is over");
    }
  }

  #contextOf(options: CallOptions): Context {
    this.#calls += 1;
    return {
      id: options.id ?? `call-${this.#calls}`,
      attempt: options.attempt ?? 1,
      locale: options.locale ?? "zh-CN",
      endNanos: this.clock.nanos + (options.timeMs ?? TIME_MS_DEFAULT) * 1_000_000,
    };
  }
}

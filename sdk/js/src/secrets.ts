/**
 * Secrets that the operator keeps: the plugin uses them and never sees them. Each is bound to the
 * host that it is for.
 */

/// <reference path="./bindings.d.ts" />
import { placeholder as askPlaceholder, sign as askSign } from "trunkline:host/secrets@0.1.0";
import { encode } from "./text.ts";
import { asking } from "./thrown.ts";

/**
 * How bytes are signed: HMAC with SHA-256 (32 bytes) or SHA-512 (64 bytes), or Ed25519 (64 bytes),
 * whose secret is the private key's 32 bytes.
 */
export type Algorithm = "hmac-sha256" | "hmac-sha512" | "ed25519";

/** Why a secret cannot be used. */
export abstract class SecretError extends Error {
  /** The secret's name. */
  readonly secret: string;

  constructor(secret: string, message: string) {
    super(message);
    this.secret = secret;
  }
}

/** grants.yaml names no such secret for this plugin. */
export class NotGranted extends SecretError {
  override readonly name = "secrets.NotGranted";

  constructor(secret: string) {
    super(
      secret,
      `the secret ${JSON.stringify(secret)} is not granted: add it under \`secrets:\` of this plugin in grants.yaml`,
    );
  }
}

/** It is granted, and the server has no value for it. */
export class Missing extends SecretError {
  override readonly name = "secrets.Missing";

  constructor(secret: string) {
    super(secret, `the server has no value for the secret ${JSON.stringify(secret)}`);
  }
}

/** The value is no key of this algorithm. */
export class Unusable extends SecretError {
  override readonly name = "secrets.Unusable";
  /** What the host says of it. */
  readonly why: string;

  constructor(secret: string, why: string) {
    super(secret, `the secret ${JSON.stringify(secret)} cannot be used: ${why}`);
    this.why = why;
  }
}

/**
 * A text that stands for the secret. Put it into the value of a header: on the way to the secret's
 * own host the value takes its place. Anywhere else it stays what it is.
 *
 * @throws {NotGranted}
 * @throws {Missing}
 */
export function placeholder(name: string): string {
  return asking(
    () => askPlaceholder(name),
    (answer) => translated(name, answer),
  );
}

/**
 * Signs bytes, or a text's bytes in UTF-8, with the secret as the key.
 *
 * @throws {NotGranted}
 * @throws {Missing}
 * @throws {Unusable}
 */
export function sign(name: string, algorithm: Algorithm, what: Uint8Array | string): Uint8Array {
  const bytes = typeof what === "string" ? encode(what) : what;
  return asking(
    () => askSign(name, algorithm, bytes),
    (answer) => translated(name, answer),
  );
}

function translated(name: string, answer: { tag: string; val?: unknown }): SecretError {
  switch (answer.tag) {
    case "not-granted":
      return new NotGranted(name);
    case "missing":
      return new Missing(name);
    default:
      return new Unusable(name, String(answer.val));
  }
}

/** Secrets with values: placeholders that are swapped on the way out, and real signatures. */

import { createHmac, createPrivateKey, randomBytes, sign } from "node:crypto";
import { HostAnswer } from "./answer.ts";

/** A secret: where it goes, and what it is; `null` is granted and has no value on this server. */
export interface TestSecret {
  /** Scheme, host and port, as grants.yaml binds it: `https://crm.civil.example`. */
  readonly to: string;
  readonly value: string | Uint8Array | null;
}

/** Bytes of the private key of Ed25519, and what stands before them in PKCS #8. */
const ED25519_KEY_BYTES = 32;
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The secrets that are granted. */
export class TestSecrets {
  readonly #granted: ReadonlyMap<string, TestSecret>;
  /** Placeholders of the call under way. */
  #drawn = new Map<string, string>();

  constructor(granted: Readonly<Record<string, TestSecret>>) {
    this.#granted = new Map(Object.entries(granted));
  }

  /** A new call has placeholders of its own. */
  beginCall(): void {
    this.#drawn = new Map();
  }

  placeholder(name: string): string {
    this.#value(name);
    const drawn = this.#drawn.get(name) ?? `trunkline-secret-${randomBytes(16).toString("hex")}`;
    this.#drawn.set(name, drawn);
    return drawn;
  }

  sign(name: string, algorithm: string, bytes: Uint8Array): Uint8Array {
    const key = this.#value(name);
    if (algorithm !== "ed25519") {
      return new Uint8Array(createHmac(algorithm.replace("hmac-", ""), key).update(bytes).digest());
    }
    if (key.length !== ED25519_KEY_BYTES) {
      throw new HostAnswer({
        tag: "unusable",
        val: `a private key of Ed25519 has ${ED25519_KEY_BYTES} bytes, and this value has ${key.length}`,
      });
    }
    const pkcs8 = createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, key]), format: "der", type: "pkcs8" });
    return new Uint8Array(sign(null, bytes, pkcs8));
  }

  /** A header's value as it leaves for a place. */
  swapped(value: string, origin: string): string {
    let swapped = value;
    for (const [name, drawn] of this.#drawn) {
      const { to } = this.#granted.get(name) ?? { to: "" };
      if (new URL(to).origin === origin) {
        swapped = swapped.replaceAll(drawn, this.#value(name).toString("latin1"));
      }
    }
    return swapped;
  }

  /** What comes back from a place, with its secrets masked. */
  masked(bytes: Uint8Array, origin: string): Uint8Array {
    let text = Buffer.from(bytes).toString("latin1");
    for (const { to, value } of this.#granted.values()) {
      if (value !== null && new URL(to).origin === origin) {
        const secret = Buffer.from(value).toString("latin1");
        text = text.replaceAll(secret, "*".repeat(secret.length));
      }
    }
    return new Uint8Array(Buffer.from(text, "latin1"));
  }

  #value(name: string): Buffer {
    const secret = this.#granted.get(name);
    if (secret === undefined) {
      throw new HostAnswer({ tag: "not-granted" });
    }
    if (secret.value === null) {
      throw new HostAnswer({ tag: "missing" });
    }
    return Buffer.from(secret.value);
  }
}

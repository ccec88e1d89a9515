import assert from "node:assert/strict";
import { createHmac, createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { Refusal, call, clock, config, log, secrets } from "../src/index.ts";
import { guard } from "../src/guard.ts";
import { testHost } from "../testing/index.ts";

test("a call knows its id, attempt, language and the time that is left", () => {
  const host = testHost();
  host.ok(
    () => {
      const context = call.current();
      assert.deepEqual(
        [context.id, context.attempt, context.locale, context.language, context.remainingMs],
        ["c-1", 2, "en-GB", "en", 800],
      );
      host.clock.advance(300);
      assert.equal(call.current().remainingLess(100), 400);
      assert.equal(call.current().remainingLess(900), 0);
    },
    { id: "c-1", attempt: 2, locale: "en-GB", timeMs: 800 },
  );
  assert.notEqual(
    host.ok(() => call.current().id),
    host.ok(() => call.current().id),
  );
});

test("settings are read, required and parsed, and say the line that mends them", () => {
  testHost({ config: { url: "http://a.example", "refresh-s": " 60 ", urgent: "yes", districts: "xihu, binjiang" } });
  assert.equal(config.get("url"), "http://a.example");
  assert.equal(config.get("other"), null);
  assert.deepEqual([...config.all().keys()], ["districts", "refresh-s", "urgent", "url"]);
  assert.equal(config.require("refresh-s", config.wholeNumber), 60);
  assert.equal(config.getOr("other", 7, config.number), 7);
  assert.equal(config.getOr("other", "x"), "x");
  assert.deepEqual(config.require("districts", config.list), ["xihu", "binjiang"]);
  assert.throws(() => config.require("token"), {
    name: "config.Missing",
    message: 'the setting "token" is missing: add `token: "…"` under `config:` of this plugin in hotline.yaml',
  });
  assert.throws(() => config.getOr("urgent", false, config.bool), {
    name: "config.Malformed",
    message:
      'the setting "urgent" is "yes": it is neither true nor false; mend `urgent:` under `config:` of this plugin in hotline.yaml',
  });
  assert.throws(() => config.require("url", config.wholeNumber), config.Malformed);
});

test("secrets are signed with, and say what is missing", () => {
  const seed = Buffer.alloc(32, 7);
  testHost({
    secrets: {
      key: { to: "https://a.example", value: "s3cr3t-value" },
      seed: { to: "https://a.example", value: seed },
      empty: { to: "https://a.example", value: null },
    },
  });
  assert.deepEqual(
    Buffer.from(secrets.sign("key", "hmac-sha256", "路")),
    createHmac("sha256", "s3cr3t-value").update("路").digest(),
  );
  assert.equal(secrets.sign("key", "hmac-sha512", "").length, 64);
  const signature = secrets.sign("seed", "ed25519", "text");
  // The public key of that seed, by RFC 8032.
  const publicKey = createPublicKey({
    key: Buffer.concat([
      Buffer.from("302a300506032b6570032100", "hex"),
      Buffer.from("ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c", "hex"),
    ]),
    format: "der",
    type: "spki",
  });
  assert.ok(verify(null, Buffer.from("text"), publicKey, signature));
  assert.throws(() => secrets.sign("key", "ed25519", "text"), { name: "secrets.Unusable" });
  assert.throws(() => secrets.placeholder("other"), { name: "secrets.NotGranted", secret: "other" });
  assert.throws(() => secrets.placeholder("empty"), secrets.Missing);
});

test("lines are logged by level, and long ones cut between characters", () => {
  const host = testHost();
  log.debug("a");
  log.warn("好".repeat(2_000));
  assert.deepEqual(host.log[0], { level: "debug", message: "a" });
  assert.equal(host.log[1]?.message, "好".repeat(1_365));
});

test("the clock is the host's, and can be set back", () => {
  const host = testHost({ now: "2026-11-22T10:00:00+08:00" });
  assert.equal(clock.now(), Date.parse("2026-11-22T02:00:00Z"));
  host.clock.advance(1_500.25);
  assert.equal(clock.now(), Date.parse("2026-11-22T02:00:01.500Z"));
  host.clock.set("2026-11-21T00:00:00Z");
  assert.equal(clock.now(), Date.parse("2026-11-21T00:00:00Z"));
});

test("what is thrown is a refusal or a fault, and a fault is logged with its place", () => {
  const host = testHost();
  const works = guard("works", {
    refuses: () => {
      throw new Refusal({ tag: "unreachable", val: "down" });
    },
    throwsAText: () => {
      throw "boom";
    },
    breaks: () => {
      throw new TypeError("no such road");
    },
  }) as Record<string, () => unknown>;
  assert.deepEqual(host.refused(() => works["refuses"]?.()), { tag: "unreachable", val: "down" });
  assert.equal(host.log.length, 0);
  assert.equal(host.call(() => works["throwsAText"]?.()).tag, "fault");
  assert.equal(host.log.shift()?.message, "works.throwsAText threw boom");
  const outcome = host.call(() => works["breaks"]?.());
  assert.equal(outcome.tag === "fault" && outcome.kind, "trap");
  assert.equal(host.log[0]?.level, "error");
  assert.match(host.log[0]?.message ?? "", /^works\.breaks threw TypeError: no such road\n.*host\.test\.ts:\d+/s);
});

test("an interface that the entry module does not export", () => {
  assert.throws(() => guard("works", undefined as never), TypeError);
});

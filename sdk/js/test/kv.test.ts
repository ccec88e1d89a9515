import assert from "node:assert/strict";
import { test } from "node:test";
import { kv } from "../src/index.ts";
import { testHost } from "../testing/index.ts";

test("a value comes back with its version, as bytes, text and JSON", () => {
  testHost();
  assert.equal(kv.get("a"), null);
  const first = kv.set("a", Uint8Array.of(1, 2));
  assert.deepEqual(kv.get("a"), { value: Uint8Array.of(1, 2), version: first });
  const second = kv.setJson("a", { road: "文三路" });
  assert.ok(second > first);
  assert.equal(kv.getText("a"), '{"road":"文三路"}');
  assert.deepEqual(kv.getJson("a"), { value: { road: "文三路" }, version: second });
  kv.delete("a");
  kv.delete("a");
  assert.equal(kv.getText("a"), null);
});

test("versions tell who changed what", () => {
  testHost();
  const first = kv.setIf("a", "1", null);
  assert.throws(() => kv.setIf("a", "2", null), (error) => error instanceof kv.Conflict && error.present === first);
  const second = kv.setIf("a", "2", first);
  assert.throws(() => kv.setIf("a", "3", first), (error) => error instanceof kv.Conflict && error.present === second);
  kv.delete("a");
  // Gone is not there, and a key that comes back is not taken for the old one.
  assert.throws(() => kv.setIf("a", "3", second), (error) => error instanceof kv.Conflict && error.present === null);
  assert.ok(kv.setIf("a", "3", null) > second);
});

test("another call can come in between", () => {
  const host = testHost();
  const version = kv.set("a", "mine");
  host.kv.beforeNextSetIf(() => kv.set("a", "theirs"));
  assert.throws(() => kv.setIf("a", "mine again", version), kv.Conflict);
  assert.equal(kv.getText("a"), "theirs");
  assert.ok(kv.setIf("a", "mine again", kv.get("a")?.version ?? null));
});

test("a value with a time to live is gone after it, which is rounded up to seconds", () => {
  const host = testHost();
  kv.set("a", "1", { ttlMs: 1 });
  host.clock.advance(999);
  assert.equal(kv.getText("a"), "1");
  host.clock.advance(1);
  assert.equal(kv.get("a"), null);
  assert.deepEqual(kv.keys("", { limit: 10 }), []);
  assert.ok(kv.setIf("a", "2", null));
  // Set without one, it stays.
  host.clock.advance(1e9);
  assert.equal(kv.getText("a"), "2");
});

test("keys and values have bounds", () => {
  testHost({ kv: { valueBytes: 4 } });
  for (const key of ["", "a".repeat(257), "路".repeat(86)]) {
    assert.throws(() => kv.set(key, "1"), kv.TooLarge, key);
    assert.throws(() => kv.get(key), kv.TooLarge, key);
    assert.throws(() => kv.delete(key), kv.TooLarge, key);
  }
  kv.set("路".repeat(85), "1234");
  assert.throws(() => kv.set("a", "12345"), kv.TooLarge);
  assert.throws(() => kv.setIf("a", "路路", null), kv.TooLarge);
});

test("a quota of bytes and of keys is used up, and freed by what goes", () => {
  const host = testHost({ kv: { bytes: 20, keys: 2 } });
  kv.set("a", "123456789");
  assert.throws(() => kv.set("b", "1234567890"), kv.Full);
  kv.set("b", "123456789", { ttlMs: 5_000 });
  assert.throws(() => kv.set("c", ""), kv.Full);
  // The same key again takes no second place.
  kv.set("a", "987654321");
  host.clock.advance(5_000);
  kv.set("c", "123456789");
});

test("keys are listed by prefix, in the order of their bytes, page by page", () => {
  testHost();
  for (const key of ["w/b", "w/a", "x", "w/路", "w/c", "w"]) {
    kv.set(key, "");
  }
  assert.deepEqual(kv.keys("w/", { limit: 2 }), ["w/a", "w/b"]);
  assert.deepEqual(kv.keys("w/", { limit: 9, after: "w/b" }), ["w/c", "w/路"]);
  assert.deepEqual(kv.keys("nothing", { limit: 9 }), []);
});

test("a store that is away, and a value that is no JSON", () => {
  const host = testHost();
  kv.set("a", "{");
  assert.throws(() => kv.getJson("a"), kv.Malformed);
  host.kv.goAway("the disk is gone");
  assert.throws(() => kv.get("a"), { name: "kv.Unavailable", why: "the disk is gone" });
  host.kv.goAway(null);
  assert.equal(kv.getText("a"), "{");
});

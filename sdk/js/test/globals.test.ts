import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../src/text.ts";
import { console as hosts } from "../src/globals/console.ts";
import { crypto as hostsCrypto } from "../src/globals/crypto.ts";
import { Date as HostDate } from "../src/globals/date.ts";
import { "Math.random" as random } from "../src/globals/math.ts";
import { TextDecoder as HostDecoder, TextEncoder as HostEncoder } from "../src/globals/text.ts";
import { testHost } from "../testing/index.ts";

test("text is encoded and decoded as by the standard, broken text too", () => {
  for (const text of ["", "a", "é", "路", "😀", "\ufeffx", "a\ud800b", "\udc00", "x".repeat(20_000) + "路"]) {
    assert.deepEqual(encode(text), new Uint8Array(Buffer.from(text)), JSON.stringify(text.slice(0, 9)));
  }
  const standard = new TextDecoder("utf-8", { ignoreBOM: true });
  for (const hex of ["", "61", "e8b7af", "f09f9880", "ff", "e8b7", "e8b761", "c080", "eda080", "f4908080", "f09f98", "f09f61", "80e8b7af", "efbbbf61", "f8888080"]) {
    const bytes = new Uint8Array(Buffer.from(hex, "hex"));
    assert.equal(decode(bytes), standard.decode(bytes), hex);
  }
  // Every pair of bytes, and a long text.
  for (let pair = 0; pair < 0x10000; pair += 1) {
    const bytes = Uint8Array.of(0xe1, pair >> 8, pair & 0xff);
    assert.equal(decode(bytes), standard.decode(bytes), pair.toString(16));
  }
  assert.equal(decode(encode("路".repeat(50_000))), "路".repeat(50_000));
});

test("TextEncoder and TextDecoder are those of UTF-8", () => {
  assert.deepEqual(new HostEncoder().encode("路"), new Uint8Array(Buffer.from("路")));
  assert.equal(new HostDecoder().decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "a");
  assert.equal(new HostDecoder("UTF-8").decode(Uint8Array.of(0x61).buffer), "a");
  assert.throws(() => new HostDecoder("gbk"), RangeError);
});

test("Date asks the host's clock, and is a Date otherwise", () => {
  testHost({ now: "2026-11-22T02:00:00.250Z" });
  assert.equal(HostDate.now(), Date.parse("2026-11-22T02:00:00.250Z"));
  assert.equal(new HostDate().toISOString(), "2026-11-22T02:00:00.250Z");
  assert.ok(new HostDate() instanceof Date && new Date() instanceof HostDate);
  assert.equal(new HostDate(0).getTime(), 0);
  assert.equal(new HostDate("2026-11-22").getTime(), Date.UTC(2026, 10, 22));
  assert.match((HostDate as unknown as () => string)(), /^Sun Nov 22 2026/);
  class Day extends HostDate {}
  assert.ok(new Day(0) instanceof Day);
});

test("random numbers are the host's", () => {
  const drawn = new Set(Array.from({ length: 200 }, random));
  assert.equal(drawn.size, 200);
  assert.ok([...drawn].every((number) => number >= 0 && number < 1));
  const mean = [...drawn].reduce((sum, number) => sum + number, 0) / drawn.size;
  assert.ok(mean > 0.3 && mean < 0.7, String(mean));
  assert.match(hostsCrypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const words = hostsCrypto.getRandomValues(new Uint32Array(8));
  assert.ok(words.some((word) => word !== 0));
  assert.throws(() => hostsCrypto.getRandomValues(new Uint8Array(65_537)), RangeError);
});

test("console writes to the operator's log", () => {
  const host = testHost();
  hosts.log("a", 1, { b: [2] }, undefined, new TypeError("no"));
  hosts.error("x");
  assert.deepEqual(host.log, [
    { level: "info", message: 'a 1 {"b":[2]} undefined TypeError: no' },
    { level: "error", message: "x" },
  ]);
});

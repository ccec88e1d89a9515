import assert from "node:assert/strict";
import { test } from "node:test";
import { type TestHost, testHost } from "@trunkline/sdk/testing";
import { entries } from "../src/index.ts";
{{#http}}
const URL = "https://{{name}}.example/v1/entries";
{{/http}}
/** A host whose settings know entry 1. */
function prepared(): TestHost {
{{#secrets}}  const secrets = { "{{name}}-token": { to: "https://{{name}}.example", value: "a-token-of-tests" } };
{{/secrets}}  const host = testHost({ config: { "entry-1": "one"{{#http}}, url: URL{{/http}} }{{#secrets}}, secrets{{/secrets}} });
{{#http}}  host.http.on(`GET ${URL}/*`, { status: 404 });
{{/http}}  return host;
}

test("an entry of the settings is found", () => {
  const host = prepared();
  assert.deepEqual(host.ok(() => entries.find("1")), { number: "1", text: "one" });
  assert.deepEqual(host.refused(() => entries.find("2")), { tag: "not-found" });
});

test("a number that is too long for one is nobody's", () => {
  assert.deepEqual(prepared().refused(() => entries.find("1".repeat(1_000))), { tag: "not-found" });
});
{{#http}}
test("an entry of the service is found, and a service that is down is told of", () => {
  const host = prepared();
  host.http.on(`GET ${URL}/7`, { body: "seven" });
  assert.deepEqual(host.ok(() => entries.find("7")), { number: "7", text: "seven" });
{{#secrets}}  assert.equal(host.http.requests.at(-1)?.headers["authorization"], "Bearer a-token-of-tests");
{{/secrets}}  host.http.on(`GET ${URL}/8`, { afterMs: 60_000 });
  assert.deepEqual(host.refused(() => entries.find("8"), { timeMs: 1_000 }), {
    tag: "unreachable",
    val: "no complete reply within 900 ms",
  });
});

test("a setting that is missing is an edge and not a fault", () => {
  const refused = testHost().refused(() => entries.find("7"));
  assert.equal((refused as { tag: string }).tag, "unreachable");
});
{{/http}}{{#kv}}
test("an entry is kept for a minute", () => {
  const host = prepared();
  host.ok(() => entries.find("1"));
  assert.deepEqual(host.kv.texts, { "entry/1": "one" });
  host.clock.advance(60_000);
  assert.deepEqual(host.kv.texts, {});
});
{{/kv}}

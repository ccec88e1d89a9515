import assert from "node:assert/strict";
import { test } from "node:test";
import { http, secrets } from "../src/index.ts";
import { testHost } from "../testing/index.ts";

const URL_OF_THE_FEED = "http://127.0.0.1:7002/v1/notices";

test("a request has its method, headers and body, and a reply its own", () => {
  const host = testHost();
  host.http.on("POST http://crm.example/v1/*", ({ body }) => ({
    status: 201,
    headers: { ETag: '"7"' },
    json: { heard: JSON.parse(body) },
  }));
  const reply = http.post("http://crm.example/v1/citizens?x=1#part", {
    json: { name: "王芳" },
    headers: { accept: "application/json" },
  });
  assert.equal(reply.status, 201);
  assert.ok(reply.ok);
  assert.equal(reply.header("etag"), '"7"');
  assert.equal(reply.header("date"), null);
  assert.deepEqual(reply.json(), { heard: { name: "王芳" } });
  assert.deepEqual(host.http.requests, [
    {
      method: "POST",
      url: "http://crm.example/v1/citizens?x=1",
      headers: { accept: "application/json", "content-type": "application/json", "content-length": "17" },
      body: '{"name":"王芳"}',
    },
  ]);
});

test("a status that speaks of failure, a redirect too, is a reply like any other", () => {
  const host = testHost();
  host.http.on(`GET ${URL_OF_THE_FEED}`, { status: 302, headers: { location: "http://elsewhere.example/" } }, { status: 503 });
  assert.equal(http.get(URL_OF_THE_FEED).header("Location"), "http://elsewhere.example/");
  assert.equal(http.get(URL_OF_THE_FEED).ok, false);
  assert.equal(host.http.requests.length, 2);
});

test("what is not granted is denied and never arrives", () => {
  const host = testHost();
  host.http.on(`GET ${URL_OF_THE_FEED}`, {});
  assert.throws(() => http.post(URL_OF_THE_FEED), http.Denied);
  assert.throws(() => http.get(`${URL_OF_THE_FEED}/more`), http.Denied);
  assert.equal(host.http.requests.length, 0);
});

test("the deadline is over all of it: a late reply, and one that trickles", () => {
  const host = testHost();
  host.http.on(`GET ${URL_OF_THE_FEED}`, { afterMs: 301 }, { body: "0123456789", pieceBytes: 1, pieceAfterMs: 40 });
  const begun = host.clock.nowMs;
  assert.throws(() => http.get(URL_OF_THE_FEED, { timeoutMs: 300 }), { name: "http.TimedOut", afterMs: 300 });
  assert.equal(host.clock.nowMs, begun + 300);
  assert.throws(() => http.get(URL_OF_THE_FEED, { timeoutMs: 300 }), http.TimedOut);
  assert.equal(host.clock.nowMs, begun + 600);
  assert.equal(http.get(URL_OF_THE_FEED, { timeoutMs: 500 }).text(), "0123456789");
  assert.throws(() => http.get(URL_OF_THE_FEED, { timeoutMs: 0 }), http.TimedOut);
});

test("a service that never answers ends the call when no shorter time was given", () => {
  const host = testHost();
  host.http.on(`GET ${URL_OF_THE_FEED}`, { afterMs: Number.POSITIVE_INFINITY });
  const outcome = host.call(() => http.get(URL_OF_THE_FEED, { timeoutMs: 5_000 }), { timeMs: 800 });
  assert.equal(outcome.tag, "fault");
  assert.equal(outcome.tag === "fault" && outcome.kind, "timed-out");
});

test("a reply has a bound", () => {
  const host = testHost();
  host.http.on(`GET ${URL_OF_THE_FEED}`, { body: "x".repeat(1_001), pieceBytes: 100 });
  assert.throws(() => http.get(URL_OF_THE_FEED, { replyBytesMax: 1_000 }), { name: "http.TooLarge", bytesMax: 1_000 });
  assert.equal(http.get(URL_OF_THE_FEED, { replyBytesMax: 1_001 }).body.length, 1_001);
});

test("each of the host's errors has its name", () => {
  const host = testHost();
  for (const [tag, name] of [
    ["connection-refused", "http.Unreachable"],
    ["DNS-error", "http.Unreachable"],
    ["TLS-certificate-error", "http.Unreachable"],
    ["HTTP-response-timeout", "http.TimedOut"],
    ["destination-IP-prohibited", "http.Denied"],
    ["HTTP-protocol-error", "http.Broken"],
  ] as const) {
    host.http.on(`GET ${URL_OF_THE_FEED}`, { error: { tag } });
    assert.throws(() => http.get(URL_OF_THE_FEED), { name }, tag);
  }
  host.http.on(`GET ${URL_OF_THE_FEED}`, { error: { tag: "internal-error", val: "the sky fell" } });
  assert.throws(() => http.get(URL_OF_THE_FEED), { name: "http.Broken", why: "the sky fell" });
  host.http.on(`GET ${URL_OF_THE_FEED}`, { body: "half", breaksAfterBytes: 2 });
  assert.throws(() => http.get(URL_OF_THE_FEED), { name: "http.Broken", why: "connection-terminated" });
});

test("what cannot be sent is said before anything is sent", () => {
  const host = testHost();
  host.http.on("GET http://a.example/*", {});
  for (const url of [
    "",
    "a.example/notices",
    "ftp://a.example",
    "http://",
    "http:///notices",
    "http://:80/",
    "http://user:word@a.example/",
    "http://a.example/a b",
    "http://a.example/\r\nx: y",
    "http://a.example/杭州",
  ]) {
    assert.throws(() => http.get(url), http.BadAddress, url);
  }
  assert.throws(() => http.get("http://a.example/", { headers: { host: "b.example" } }), { name: "http.BadHeader", header: "host" });
  assert.throws(() => http.get("http://a.example/", { headers: [["x", "a\r\nb"]] }), http.BadHeader);
  assert.equal(host.http.requests.length, 0);
  http.get("HTTP://a.example?since=1");
  assert.equal(host.http.requests[0]?.url, "http://a.example/?since=1");
});

test("a large body is written in the pieces that the host permits", () => {
  const host = testHost();
  host.http.on("POST http://a.example/", ({ body }) => ({ body: String(body.length) }));
  assert.equal(http.post("http://a.example/", { body: "x".repeat(100_000) }).text(), "100000");
});

test("a body that is no JSON names its address", () => {
  const host = testHost();
  host.http.on(`GET ${URL_OF_THE_FEED}`, { body: "<html>" });
  assert.throws(() => http.get(URL_OF_THE_FEED).json(), { name: "http.Malformed", message: /127\.0\.0\.1:7002/ });
});

test("a secret takes its placeholder's place at its own host, and is masked on the way back", () => {
  const host = testHost({ secrets: { "crm-token": { to: "https://crm.example", value: "s3cr3t-value" } } });
  host.http.on("GET https://crm.example/*", ({ headers }) => ({ body: `you sent ${headers["authorization"]}` }));
  host.http.on("GET https://other.example/*", ({ headers }) => ({ body: `you sent ${headers["authorization"]}` }));
  const placeholder = secrets.placeholder("crm-token");
  assert.equal(secrets.placeholder("crm-token"), placeholder);
  const headers = { authorization: `Bearer ${placeholder}` };
  assert.equal(http.get("https://crm.example/", { headers }).text(), "you sent Bearer ************");
  assert.equal(host.http.requests[0]?.headers["authorization"], "Bearer s3cr3t-value");
  assert.equal(http.get("https://other.example/", { headers }).text(), `you sent Bearer ${placeholder}`);
});

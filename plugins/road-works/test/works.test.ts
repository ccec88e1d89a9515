import assert from "node:assert/strict";
import { test } from "node:test";
import { type TestHost, testHost } from "@trunkline/sdk/testing";
import { works } from "../src/index.ts";
import { CITY } from "./city.ts";

const URL = "http://127.0.0.1:7002/v1/road-works";

type City = typeof CITY;

/** A host, and a feed that knows its `etag` and can be changed or be down. */
function prepared(config: Record<string, string> = {}): { host: TestHost; publish: (city: City) => void; down: (is: boolean) => void } {
  const host = testHost({ config: { url: URL, ...config }, now: "2026-11-22T10:00:00+08:00" });
  let city = CITY;
  let down = false;
  host.http.on(`GET ${URL}`, ({ headers }) => {
    if (down) {
      return { error: { tag: "connection-refused" } };
    }
    const etag = `"${JSON.stringify(city).length}"`;
    return headers["if-none-match"] === etag ? { status: 304 } : { json: city, headers: { etag } };
  });
  return { host, publish: (next) => (city = next), down: (is) => (down = is) };
}

/** The city with other works. */
function worksOf(change: (works: City["works"]) => void): City {
  const city = structuredClone(CITY);
  change(city.works);
  return city;
}

test("what to know first of a district is told in the contact's language", () => {
  const { host } = prepared();
  assert.deepEqual(
    host.ok(() => works.latest("西湖"), { locale: "en" }),
    {
      id: "r-2",
      kind: "closure",
      road: "天目山路",
      text: "双向封闭。",
      district: "Xihu District",
      begins: "2026-11-01",
      ends: null,
      others: 1,
      stale: false,
    },
  );
  assert.deepEqual(host.refused(() => works.latest("gongshu")), { tag: "unknown-district" });
  assert.deepEqual(host.refused(() => works.latest("linan")), { tag: "no-notice" });
  assert.equal(host.http.requests.length, 1);
});

test("a day begins at midnight in the city", () => {
  const { host } = prepared();
  host.clock.set("2026-12-30T15:59:59Z");
  assert.deepEqual(host.refused(() => works.latest("linan")), { tag: "no-notice" });
  host.clock.set("2026-12-30T16:00:00Z");
  assert.equal(host.ok(() => works.latest("linan")).id, "r-3");
});

test("a copy is asked for again when it is due, and its etag spares the feed", () => {
  const { host, publish } = prepared({ "refresh-s": "60" });
  host.ok(() => works.latest("xihu"));
  host.clock.advance(59_000);
  host.ok(() => works.latest("xihu"));
  assert.equal(host.http.requests.length, 1);
  host.clock.advance(1_000);
  host.ok(() => works.latest("xihu"));
  assert.equal(host.http.requests.length, 2);
  assert.ok(host.http.requests[1]?.headers["if-none-match"]);
  host.ok(() => works.latest("xihu"));
  assert.equal(host.http.requests.length, 2);
  publish(worksOf((all) => all.splice(1, 1)));
  host.clock.advance(60_000);
  assert.equal(host.ok(() => works.latest("xihu")).id, "r-1");
});

test("a feed that is down leaves its copy, which is told as old and for a day at most", () => {
  const { host, down } = prepared();
  host.ok(() => works.latest("xihu"));
  down(true);
  host.clock.advance(60_000);
  assert.equal(host.ok(() => works.latest("xihu")).stale, true);
  assert.match(host.log.at(-1)?.message ?? "", /the feed is down, its copy of 60 s ago serves: .*connection-refused/);
  // For a moment nobody waits for it to fail again.
  host.clock.advance(4_000);
  host.ok(() => works.latest("xihu"));
  assert.equal(host.http.requests.length, 2);
  host.clock.advance(1_000);
  assert.equal(host.ok(() => works.latest("xihu")).stale, true);
  assert.equal(host.http.requests.length, 3);
  host.clock.advance(86_400_000);
  assert.deepEqual(host.refused(() => works.latest("xihu")), {
    tag: "unreachable",
    val: "the service is not reachable: connection-refused",
  });
  down(false);
  assert.equal(host.ok(() => works.latest("xihu")).stale, false);
});

test("with no copy at hand every failure is told as unreachable, in time", () => {
  for (const [reply, why] of [
    [{ afterMs: 60_000 }, "no complete reply within 700 ms"],
    [{ status: 503 }, "the feed answered 503"],
    [{ status: 304 }, "the feed answered 304"],
    [{ body: "<html>" }, `the reply of ${URL} is no JSON`],
    [{ json: { districts: [] } }, "works is missing, and no list"],
    [{ body: "x".repeat(50_000) }, "the reply has more than 49152 bytes"],
    [{ body: "half", breaksAfterBytes: 2 }, "the reply broke off: connection-terminated"],
  ] as const) {
    const { host } = prepared();
    host.http.on(`GET ${URL}`, reply);
    assert.deepEqual(host.refused(() => works.latest("xihu"), { timeMs: 800 }), { tag: "unreachable", val: why });
  }
});

test("a missing setting is told with the line that mends it, and a malformed one is passed over", () => {
  const host = testHost();
  assert.match(JSON.stringify(host.refused(() => works.latest("xihu"))), /add `url: \\"…\\"` under `config:`/);
  const { host: other } = prepared({ "refresh-s": "soon" });
  other.ok(() => works.latest("xihu"));
  other.ok(() => works.latest("xihu"));
  assert.match(other.log.map(({ message }) => message).join("\n"), /"refresh-s" is "soon": it is no whole number.*60 s hold/);
});

test("a store that is away costs a request for each call, and no answer", () => {
  const { host } = prepared();
  host.kv.goAway("no disk");
  assert.equal(host.ok(() => works.latest("xihu")).id, "r-2");
  assert.equal(host.ok(() => works.latest("xihu")).id, "r-2");
  assert.equal(host.http.requests.length, 2);
  assert.equal(host.refused(() => works.changes()), "the store did not answer: no disk");
});

test("changes are what is new since they were last asked for", () => {
  const { host, publish, down } = prepared();
  const told = (): [string, string][] =>
    host.ok(() => works.changes()).map(({ id, happening }): [string, string] => [id, happening]);
  assert.deepEqual(told(), [], "the first time all is taken as known");
  assert.deepEqual(told(), []);
  publish(
    worksOf((all) => {
      all[0]!.ends = "2026-12-20";
      all.splice(1, 1);
      all.push({ ...all[0]!, id: "r-4", begins: "2026-11-23", kind: "restriction" });
    }),
  );
  assert.deepEqual(told(), [
    ["r-2", "lifted"],
    ["r-1", "changed"],
    ["r-4", "announced"],
  ]);
  assert.deepEqual(told(), []);
  publish(CITY);
  const changes = host.ok(() => works.changes());
  assert.deepEqual(
    changes.map(({ id, happening }) => [id, happening]),
    [
      ["r-4", "lifted"],
      ["r-2", "announced"],
      ["r-1", "changed"],
    ],
  );
  // What is lifted is told of with what was known of it.
  assert.deepEqual(changes[0], { id: "r-4", happening: "lifted", kind: "restriction", road: "文三路", text: "人行道翻修。", districts: ["xihu"] });
  down(true);
  assert.equal(host.refused(() => works.changes()), "the service is not reachable: connection-refused");
});

test("a call that is asked again hears the same, and the next hears what is left", () => {
  const { host, publish } = prepared();
  host.ok(() => works.changes());
  publish(worksOf((all) => all.pop()));
  const first = host.ok(() => works.changes(), { id: "call-a" });
  assert.deepEqual(first.map(({ id }) => id), ["r-3"]);
  assert.deepEqual(host.ok(() => works.changes(), { id: "call-a", attempt: 2 }), first);
  assert.deepEqual(host.ok(() => works.changes(), { id: "call-b" }), []);
});

test("of many changes fifty are told at a time, and none is lost", () => {
  const { host, publish } = prepared();
  host.ok(() => works.changes());
  publish(
    worksOf((all) => {
      const one = all.pop()!;
      for (let index = 0; index < 70; index += 1) {
        all.push({ ...one, id: `n-${index}` });
      }
    }),
  );
  const first = host.ok(() => works.changes());
  const second = host.ok(() => works.changes());
  assert.equal(first.length, 50);
  assert.deepEqual(new Set([...first, ...second].map(({ id }) => id)).size, 71);
  assert.deepEqual(host.ok(() => works.changes()), []);
});

test("two that ask at the same time do not both tell of a change", () => {
  const { host, publish } = prepared();
  host.ok(() => works.changes());
  publish(worksOf((all) => all.pop()));
  let between: string[] = [];
  host.kv.beforeNextSetIf(() => {
    between = host.ok(() => works.changes()).map(({ id }) => id);
  });
  const mine = host.ok(() => works.changes());
  assert.deepEqual([between, mine.map(({ id }) => id)], [["r-3"], []]);
});

test("a change is about its districts, or about each that the feed lists", () => {
  const { host } = prepared();
  const change = { id: "x", happening: "announced", kind: "works", road: "r", text: "t" } as const;
  assert.deepEqual(host.ok(() => works.affected({ ...change, districts: ["xihu"] })), ["xihu"]);
  assert.deepEqual(host.ok(() => works.affected({ ...change, districts: [] })), ["xihu", "yuhang", "linan"]);
});

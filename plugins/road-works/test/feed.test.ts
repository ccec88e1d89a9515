import assert from "node:assert/strict";
import { test } from "node:test";
import { FeedError, district, inForce, inLanguage, read } from "../src/feed.ts";
import { CITY } from "./city.ts";

const feed = read(CITY);

function ids(name: string, day: string): string[] {
  const found = district(feed, name);
  assert.ok(found, name);
  return inForce(feed, found, day).map(({ id }) => id);
}

test("closures first, and only what is in force on the day", () => {
  assert.deepEqual(ids("xihu", "2026-11-22"), ["r-2", "r-1"]);
  assert.deepEqual(ids("xihu", "2026-11-20"), ["r-2", "r-1"]);
  assert.deepEqual(ids("xihu", "2026-11-19"), ["r-2"]);
  assert.deepEqual(ids("xihu", "2026-12-05"), ["r-2", "r-1"]);
  assert.deepEqual(ids("xihu", "2026-12-06"), ["r-2"]);
  assert.deepEqual(ids("linan", "2026-12-31"), ["r-3"]);
  // Within a kind what began last.
  assert.deepEqual(ids("yuhang", "2027-01-01"), ["r-3", "r-2"]);
  assert.deepEqual(ids("linan", "2027-01-02"), []);
});

test("districts go by id and by name", () => {
  for (const name of ["xihu", "西湖区", "西湖", " Xihu district ", "XIHU"]) {
    assert.equal(district(feed, name)?.id, "xihu", name);
  }
  for (const name of ["", "区", "district", "滨江", "xi"]) {
    assert.equal(district(feed, name), undefined, name);
  }
});

test("texts come in the contact's language where there is one", () => {
  const texts = { "zh-CN": "路", en: "road" };
  assert.equal(inLanguage(texts, "en-GB"), "road");
  assert.equal(inLanguage(texts, "zh-HK"), "路");
  assert.equal(inLanguage(texts, "fr"), "路");
  assert.equal(inLanguage({ de: "Straße" }, "en"), "Straße");
});

test("a fault refuses the feed and says where", () => {
  const with_ = (change: (city: typeof CITY) => void): unknown => {
    const city = structuredClone(CITY);
    change(city);
    return city;
  };
  for (const [json, message] of [
    [null, "the feed is null, and no object"],
    [[], "the feed is [], and no object"],
    [{}, "districts is missing, and no list"],
    [with_((city) => (city.works[1]!.kind = "party")), 'works[1].kind is "party", and not one of closure, restriction, works'],
    [with_((city) => (city.works[0]!.begins = "2026-13-40")), 'works[0].begins is "2026-13-40", which is no day like 2026-11-20'],
    [with_((city) => (city.works[0]!.ends = "2026-11-01")), "works[0] ends on 2026-11-01, before it begins on 2026-11-20"],
    [with_((city) => city.works[0]!.districts.push("gongshu")), 'works[0].districts names "gongshu", which the feed does not list'],
    [with_((city) => (city.works[2]!.id = "r-1")), 'two works have the id "r-1"'],
    [with_((city) => (city.works[1]!.road = {} as never)), "works[1].road has no text in any language"],
    [with_((city) => (city.districts[0]!.names.en = "")), 'districts[0].names.en is "", and no text'],
  ] as const) {
    assert.throws(
      () => read(json),
      (error) => error instanceof FeedError && error.message === message,
      message,
    );
  }
});

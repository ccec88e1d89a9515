/**
 * A host in memory, so that a plugin's own tests run with plain `node --test`:
 *
 * ```ts
 * import { testHost } from "@trunkline/sdk/testing";
 * import { works } from "../src/index.ts";
 *
 * const host = testHost({ config: { url: "http://feed.example/v1" } });
 * host.http.on("GET http://feed.example/v1", { json: { districts: [], works: [] } });
 * assert.deepEqual(host.refused(() => works.latest("xihu")), { tag: "unknown-district" });
 * ```
 *
 * Run them by `node --import @trunkline/sdk/testing/register --test`. Nothing waits: the host's clock
 * jumps to where a plugin's wait ends.
 *
 * @module
 */

import { activate } from "./active.ts";
import { type HostOptions, TestHost } from "./host.ts";

export { Stopped } from "./answer.ts";
export type { TestClock } from "./clock.ts";
export type { CallOptions, HostOptions, LogLine, Outcome, TestHost } from "./host.ts";
export type { TestHttp, TestReply, TestRequest } from "./http.ts";
export type { KvGrant, TestKv } from "./kv.ts";
export type { TestSecret, TestSecrets } from "./secrets.ts";

/** Makes a host, to which the plugin's functions talk from now on. */
export function testHost(options: HostOptions = {}): TestHost {
  const host = new TestHost(options);
  activate(host);
  return host;
}

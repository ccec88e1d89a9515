/** The host that plugins under test talk to. */

import type { TestHost } from "./host.ts";

let present: TestHost | null = null;

/** The host of the test under way. */
export function active(): TestHost {
  if (present === null) {
    throw new Error("no test host is there: make one with testHost() before the plugin's functions are called");
  }
  return present;
}

/** Puts a host in place of the one before. */
export function activate(host: TestHost): void {
  present = host;
}

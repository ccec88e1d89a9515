/** `Date` over the host's clock: in a component QuickJS has no clock of its own. Times are UTC's. */

import { now } from "../clock.ts";

const Native = globalThis.Date;

function make(): DateConstructor {
  function HostDate(...parts: unknown[]): unknown {
    if (new.target === undefined) {
      return new Native(now()).toString();
    }
    return Reflect.construct(Native, parts.length === 0 ? [now()] : parts, new.target);
  }
  HostDate.prototype = Native.prototype;
  HostDate.now = now;
  HostDate.parse = Native.parse;
  HostDate.UTC = Native.UTC;
  return HostDate as unknown as DateConstructor;
}

const HostDate = /* @__PURE__ */ make();
export { HostDate as Date };

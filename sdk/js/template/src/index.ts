import { Refusal, {{#http}}call, {{/http}}config{{#http}}, http{{/http}}{{#kv}}, kv{{/kv}}, log } from "@trunkline/sdk";
import type { Entries, Entry, EntryError } from "./wit.d.ts";
{{#http}}
/** Time kept back from the call's own, to answer rather than be stopped. */
const ANSWER_MARGIN_MS = 100;
{{/http}}{{#kv}}
/** How long an answer is kept for the calls to come. */
const KEPT_MS = 60_000;
{{/kv}}
export const entries: Entries = {
  find(number: string): Entry {
{{#kv}}    const kept = kv.getText(`entry/${number}`);
    if (kept !== null) {
      return { number, text: kept };
    }
{{/kv}}    const text = textOf(number);
    if (text === null) {
      log.info("asked for a number that nobody knows");
      throw new Refusal<EntryError>({ tag: "not-found" });
    }
{{#kv}}    kv.set(`entry/${number}`, text, { ttlMs: KEPT_MS });
{{/kv}}    return { number, text };
  },
};

function textOf(number: string): string | null {
{{#http}}  let reply: http.Reply;
  try {
    reply = http.get(`${config.require("url")}/${encodeURIComponent(number)}`, {
      timeoutMs: call.current().remainingLess(ANSWER_MARGIN_MS),
    });
  } catch (error) {
    if (error instanceof http.HttpError) {
      throw new Refusal<EntryError>({ tag: "unreachable", val: error.message });
    }
    throw error;
  }
  if (reply.ok) {
    return reply.text();
  }
  if (reply.status !== 404) {
    throw new Refusal<EntryError>({ tag: "unreachable", val: `the service answered ${reply.status}` });
  }
{{/http}}  return config.get(`entry-${number}`);
}

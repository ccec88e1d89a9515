import { Refusal, {{#http}}call, {{/http}}config{{#http}}, http{{/http}}{{#kv}}, kv{{/kv}}, log{{#secrets}}, secrets{{/secrets}} } from "@trunkline/sdk";
import type { Entries, Entry, EntryError } from "./wit.d.ts";

/** Characters of the longest number; nobody knows a longer one. */
const NUMBER_CHARS_MAX = 40;
{{#http}}
/** Time kept back from the call's own, to answer rather than be stopped. */
const ANSWER_MARGIN_MS = 100;
{{/http}}{{#kv}}
/** How long an answer is kept for the calls to come. */
const KEPT_MS = 60_000;
{{/kv}}
export const entries: Entries = {
  find(number: string): Entry {
    if (number.length > NUMBER_CHARS_MAX) {
      throw new Refusal<EntryError>({ tag: "not-found" });
    }
{{#kv}}    const kept = keptText(number);
    if (kept !== null) {
      return { number, text: kept };
    }
{{/kv}}    const text = textOf(number);
    if (text === null) {
      log.info("asked for a number that nobody knows");
      throw new Refusal<EntryError>({ tag: "not-found" });
    }
{{#kv}}    keep(number, text);
{{/kv}}    return { number, text };
  },
};
{{#kv}}
/** The text that an earlier call kept. A store that does not answer is passed over. */
function keptText(number: string): string | null {
  try {
    return kv.getText(`entry/${number}`);
  } catch (error) {
    return passedOver(error);
  }
}

/** Keeps a text. This call has its answer whether that works or not. */
function keep(number: string, text: string): void {
  try {
    kv.set(`entry/${number}`, text, { ttlMs: KEPT_MS });
  } catch (error) {
    passedOver(error);
  }
}

function passedOver(error: unknown): null {
  if (error instanceof kv.KvError) {
    log.warn(`answered without the store: ${error.message}`);
    return null;
  }
  throw error;
}
{{/kv}}
function textOf(number: string): string | null {
{{#http}}  let reply: http.Reply;
  try {
    reply = http.get(`${config.require("url")}/${encodeURIComponent(number)}`, {
{{#secrets}}      headers: { authorization: `Bearer ${secrets.placeholder("{{name}}-token")}` },
{{/secrets}}      timeoutMs: call.current().remainingLess(ANSWER_MARGIN_MS),
    });
  } catch (error) {
    if (error instanceof http.HttpError || error instanceof config.ConfigError{{#secrets}} || error instanceof secrets.SecretError{{/secrets}}) {
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

"""Entries by their number."""

{{#kv}}from datetime import timedelta
{{/kv}}{{#http}}from urllib.parse import quote
{{/http}}
from trunkline_sdk import Refusal, {{#http}}call, {{/http}}config{{#http}}, http{{/http}}{{#kv}}, kv{{/kv}}, log
from wit_world import exports
from wit_world.exports import entries
{{#http}}
#: The share of the call's time that asking may take; the rest is for the answer.
ASKING = 0.9
{{/http}}{{#kv}}
#: How long an entry is kept for the calls to come.
KEPT = timedelta(minutes=1)
{{/kv}}

class Entries(exports.Entries):
    """The functions of `entries`."""

    def find(self, number: str) -> entries.Entry:
{{#kv}}        kept = kv.get_text(f"entry/{number}")
        if kept is not None:
            return entries.Entry(number, kept)
{{/kv}}        text = _text_of(number)
        if text is None:
            log.info("asked for a number that nobody knows")
            raise Refusal(entries.EntryError_NotFound())
{{#kv}}        kv.set_text(f"entry/{number}", text, ttl=KEPT)
{{/kv}}        return entries.Entry(number, text)


def _text_of(number: str) -> str | None:
{{#http}}    url = f"{config.require('url')}/{quote(number, safe='')}"
    try:
        reply = http.get(url, timeout=call.current().remaining * ASKING)
        if reply.is_success:
            return reply.text()
    except http.Error as error:
        raise Refusal(entries.EntryError_Unreachable(str(error))) from None
    if reply.status != 404:
        raise Refusal(entries.EntryError_Unreachable(f"the service answered {reply.status}"))
{{/http}}    return config.get(f"entry-{number}")

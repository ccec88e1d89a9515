"""Entries by their number."""

{{#kv}}from datetime import timedelta
{{/kv}}{{#http}}from urllib.parse import quote
{{/http}}
from trunkline_sdk import Refusal, {{#http}}call, {{/http}}config{{#http}}, http{{/http}}{{#kv}}, kv{{/kv}}, log{{#secrets}}, secrets{{/secrets}}
from wit_world import exports
from wit_world.exports import entries

#: Characters of the longest number; nobody knows a longer one.
NUMBER_CHARS_MAX = 40
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
        if len(number) > NUMBER_CHARS_MAX:
            raise Refusal(entries.EntryError_NotFound())
{{#kv}}        kept = _kept(number)
        if kept is not None:
            return entries.Entry(number, kept)
{{/kv}}        text = _text_of(number)
        if text is None:
            log.info("asked for a number that nobody knows")
            raise Refusal(entries.EntryError_NotFound())
{{#kv}}        _keep(number, text)
{{/kv}}        return entries.Entry(number, text)


{{#kv}}
def _kept(number: str) -> str | None:
    """The text that an earlier call kept. A store that does not answer is passed over."""
    try:
        return kv.get_text(f"entry/{number}")
    except kv.Error as error:
        log.warn(f"answered without the store: {error}")
        return None


def _keep(number: str, text: str) -> None:
    """Keeps a text. This call has its answer whether that works or not."""
    try:
        kv.set_text(f"entry/{number}", text, ttl=KEPT)
    except kv.Error as error:
        log.warn(f"the next call has to ask again: {error}")


{{/kv}}
def _text_of(number: str) -> str | None:
{{#http}}    try:
        url = f"{config.require('url')}/{quote(number, safe='')}"
{{#secrets}}        headers = {"authorization": f"Bearer {secrets.placeholder('{{name}}-token')}"}
{{/secrets}}        reply = http.get(url{{#secrets}}, headers=headers{{/secrets}}, timeout=call.current().remaining * ASKING)
        if reply.is_success:
            return reply.text()
    except (config.Error, http.Error{{#secrets}}, secrets.Error{{/secrets}}) as error:
        raise Refusal(entries.EntryError_Unreachable(str(error))) from None
    if reply.status != 404:
        raise Refusal(entries.EntryError_Unreachable(f"the service answered {reply.status}"))
{{/http}}    return config.get(f"entry-{number}")

"""Asks each of the host's interfaces through the SDK."""

import os
from datetime import UTC, datetime, timedelta

from trunkline_sdk import Refusal, call, clock, config, http, kv, log
from wit_world import exports
from wit_world.exports import probe

WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)


class Probe(exports.Probe):
    """The functions of `probe`."""

    def context(self) -> str:
        context = call.current()
        log.info("the context was asked for")
        left = context.remaining > timedelta() and context.remaining_less(timedelta(days=1)) == timedelta()
        return f"{context.id} {context.attempt} {context.language} {left}"

    def setting(self, name: str) -> int:
        try:
            return config.get_or(name, 7)
        except config.Error as error:
            raise Refusal(str(error)) from None

    def fetch(self, method: str, url: str, body: str, timeout_ms: int, bytes_max: int) -> probe.Reply:
        try:
            reply = http.request(
                method,
                url,
                body=body.encode(),
                headers={"x-probe": "asked"} if body != "host" else {"host": "elsewhere"},
                timeout=timedelta(milliseconds=timeout_ms),
                reply_bytes_max=bytes_max,
            )
        except http.Error as error:
            log.warn(str(error))
            raise Refusal(_fetch_error(error)) from None
        return probe.Reply(reply.status, reply.header("X-Probe"), reply.text())

    def keep(self, key: str, text: str, expected: int) -> int:
        try:
            return kv.set_if(key, text.encode(), expected or None, ttl=timedelta(hours=1))
        except kv.Error as error:
            raise Refusal(_store_error(error)) from None

    def kept(self, prefix: str) -> list[str]:
        try:
            return [kv.get_text(key) or "" for key in kv.keys(prefix)]
        except kv.Error as error:
            raise Refusal(_store_error(error)) from None

    def clock_and_chance(self) -> bool:
        return clock.now() > WRITTEN and os.urandom(8) != os.urandom(8)


def _fetch_error(error: http.Error) -> probe.FetchError:
    match error:
        case http.BadAddress():
            return probe.FetchError_BadAddress()
        case http.BadHeader():
            return probe.FetchError_BadHeader(error.name)
        case http.Denied():
            return probe.FetchError_Denied()
        case http.TimedOut():
            return probe.FetchError_TimedOut()
        case http.Unreachable():
            return probe.FetchError_Unreachable()
        case http.TooLarge():
            return probe.FetchError_TooLarge(error.bytes_max)
        case _:
            return probe.FetchError_Broken()


def _store_error(error: kv.Error) -> probe.StoreError:
    match error:
        case kv.TooLarge():
            return probe.StoreError_TooLarge()
        case kv.Full():
            return probe.StoreError_Full()
        case kv.Conflict():
            return probe.StoreError_Conflict(error.version)
        case _:
            return probe.StoreError_Unavailable()

"""`trunkline:host/call`."""

from dataclasses import dataclass

from .._active import active


@dataclass
class Context:
    id: str
    attempt: int
    locale: str
    remaining_ms: int


def current() -> Context:
    host = active()
    return Context(host.call_id, host.attempt, host.locale, host.remaining_ms())

"""The call under way."""

from dataclasses import dataclass
from datetime import timedelta

from . import _host

_call = _host.interface("call", "trunkline:host/call@0.1.0")


@dataclass(frozen=True, slots=True)
class Context:
    """What a plugin may know about the call it answers."""

    #: Stable across attempts: use it as an idempotency key.
    id: str
    #: 1 for the first attempt.
    attempt: int
    #: Language of the contact, a BCP 47 tag such as ``zh-CN``.
    locale: str
    #: Time that is left before the host stops this call.
    remaining: timedelta

    @property
    def language(self) -> str:
        """The language without region or script: ``zh`` of ``zh-CN``."""
        return self.locale.split("-", 1)[0]

    def remaining_less(self, margin: timedelta) -> timedelta:
        """The time that a request to another service may take so that `margin` is left to put its
        failure into an answer, rather than being stopped without one."""
        return max(self.remaining - margin, timedelta())


def current() -> Context:
    """The context of the call under way, as of now."""
    found = _call.current()
    return Context(
        id=found.id,
        attempt=found.attempt,
        locale=found.locale,
        remaining=timedelta(milliseconds=found.remaining_ms),
    )

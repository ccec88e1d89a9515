"""`wasi:clocks/wall-clock`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .._active import active

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Datetime:
    seconds: int
    nanoseconds: int


def now() -> Datetime:
    since = active().now - _EPOCH
    return Datetime(since // timedelta(seconds=1), since.microseconds * 1000)


def resolution() -> Datetime:
    return Datetime(0, 1000)

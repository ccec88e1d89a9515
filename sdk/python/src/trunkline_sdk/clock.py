"""The time of day, to tell how old something is."""

from datetime import UTC, datetime, timedelta

from . import _host

_wall_clock = _host.wasi("wall_clock", "wasi:clocks/wall-clock@0.2.6")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> datetime:
    """Now, in UTC. The host's clock may be set back: a time read earlier can lie in the future of
    one read later."""
    read = _wall_clock.now()
    return _EPOCH + timedelta(seconds=read.seconds, microseconds=read.nanoseconds // 1000)

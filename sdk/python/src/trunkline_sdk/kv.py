"""A small key-value store of the plugin's own, kept across calls and restarts.

Other calls of the same plugin run at the same time: to change a value by what it was, read its
version and write with :func:`set_if`.
"""

import json as _json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from . import _host

_kv = _host.interface("kv", "trunkline:host/kv@0.1.0")

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds that a key may live at most; longer is this long.
TTL_S_MAX = 2**32 - 1


class Error(Exception):
    """The store did not do it."""


class TooLarge(Error):
    """The key is empty or too long, or the value is too large."""

    def __init__(self) -> None:
        super().__init__("the key is empty or too long, or the value is too large")


class Full(Error):
    """The plugin's quota is used up."""

    def __init__(self) -> None:
        super().__init__(
            "the plugin's quota of keys or bytes is used up: delete some, or raise it under `kv:` of "
            "this plugin in grants.yaml"
        )


class Conflict(Error):
    """Somebody else changed the key first."""

    def __init__(self, version: int | None) -> None:
        super().__init__("the key changed meanwhile")
        #: The version it has now; none when it is gone.
        self.version = version


class Unavailable(Error):
    """The store did not answer."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the store did not answer: {why}")
        #: What the host says of it.
        self.why = why


class NotJson(Error):
    """The value is not the JSON, or the text, that was asked for."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f'the value of "{key}" is not what was asked for: {why}')


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored value."""

    #: Its bytes.
    value: bytes
    #: Grows with every change of the key.
    version: int


def get(key: str) -> Entry | None:
    """The entry of a key; none when there is none or its time is over."""
    found = _asked(_kv.get, key)
    return None if found is None else Entry(value=bytes(found.value), version=found.version)


def set(key: str, value: bytes, ttl: timedelta | None = None) -> int:
    """Sets a key whatever it held, and returns the new version. With `ttl`, rounded up to seconds,
    it is gone after that time."""
    version: int = _asked(_kv.set, key, value, _seconds(ttl))
    return version


def set_if(key: str, value: bytes, expected: int | None, ttl: timedelta | None = None) -> int:
    """Sets a key if its version is the expected one, and returns the new version; none expects that
    the key does not exist. Raises :class:`Conflict` when it is not so."""
    version: int = _asked(_kv.set_if, key, value, expected, _seconds(ttl))
    return version


def delete(key: str) -> None:
    """Removes a key; removing what is not there is fine."""
    _asked(_kv.delete, key)


def keys(prefix: str = "", after: str | None = None, limit: int = 100) -> list[str]:
    """Up to `limit` keys that begin with the prefix, sorted, after `after` if given."""
    found: list[str] = _asked(_kv.keys, prefix, after, limit)
    return found


def get_text(key: str) -> str | None:
    """A value that was kept as text."""
    entry = get(key)
    if entry is None:
        return None
    try:
        return entry.value.decode()
    except UnicodeDecodeError as error:
        raise NotJson(key, str(error)) from None


def set_text(key: str, text: str, ttl: timedelta | None = None) -> int:
    """Keeps a text, as UTF-8."""
    return set(key, text.encode(), ttl)


def get_json(key: str) -> Any:
    """A value that was kept as JSON; None when there is none."""
    entry = get(key)
    if entry is None:
        return None
    try:
        return _json.loads(entry.value)
    except ValueError as error:
        raise NotJson(key, str(error)) from None


def set_json(key: str, value: Any, ttl: timedelta | None = None) -> int:
    """Keeps a value as JSON."""
    return set(key, _json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), ttl)


def _asked(function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    try:
        return function(*arguments, **named)
    except _host.Err as error:
        case = error.value
    match case:
        case _kv.Error_Full():
            raise Full
        case _kv.Error_Conflict():
            raise Conflict(case.value)
        case _kv.Error_Unavailable():
            raise Unavailable(case.value)
        case _:
            raise TooLarge


def _seconds(ttl: timedelta | None) -> int | None:
    if ttl is None:
        return None
    whole = -(-ttl // timedelta(seconds=1))
    return min(max(whole, 0), TTL_S_MAX)

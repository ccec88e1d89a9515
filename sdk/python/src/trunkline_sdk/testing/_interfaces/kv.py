"""`trunkline:host/kv`."""

from dataclasses import dataclass

from .._active import active
from .._store import Store
from .err import Err


@dataclass
class Entry:
    value: bytes
    version: int


@dataclass
class Error_TooLarge:
    pass


@dataclass
class Error_Full:
    pass


@dataclass
class Error_Conflict:
    value: int | None


@dataclass
class Error_Unavailable:
    value: str


Error = Error_TooLarge | Error_Full | Error_Conflict | Error_Unavailable

#: Bytes of a key.
_KEY_BYTES_MAX = 256

#: Keys listed by one call.
_KEYS_LISTED_MAX = 1_000


def get(key: str) -> Entry | None:
    found = _store(key).get(key)
    return None if found is None else Entry(*found)


def set(key: str, value: bytes, ttl_s: int | None) -> int:
    return _set(_store(key, value), key, value, ttl_s)


def set_if(key: str, value: bytes, expected: int | None, ttl_s: int | None) -> int:
    store = _store(key, value)
    present = store.version_of(key)
    if present != expected:
        raise Err(Error_Conflict(present))
    return _set(store, key, value, ttl_s)


def delete(key: str) -> None:
    _store(key).delete(key)


def keys(prefix: str, after: str | None, limit: int) -> list[str]:
    _available()
    return active().kv.keys(prefix, after, min(limit, _KEYS_LISTED_MAX))


def _set(store: Store, key: str, value: bytes, ttl_s: int | None) -> int:
    version = store.set(key, value, ttl_s)
    if version is None:
        raise Err(Error_Full())
    return version


def _store(key: str, value: bytes = b"") -> Store:
    """The store, asked for a key and a value that it takes."""
    _available()
    store = active().kv
    if not 1 <= len(key.encode()) <= _KEY_BYTES_MAX or len(value) > store.value_bytes:
        raise Err(Error_TooLarge())
    return store


def _available() -> None:
    why = active().kv.unavailable
    if why is not None:
        raise Err(Error_Unavailable(why))

"""A plugin's key-values in memory, with versions, times to live and a quota."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._hosting import Host


class Store:
    """Key-values as the host keeps them.

    The bounds are those of ``kv: true`` in grants.yaml unless they are given.
    """

    def __init__(self, *, bytes_max: int = 1 << 20, keys_max: int = 1_000, value_bytes: int = 64 << 10) -> None:
        self.bytes_max = bytes_max
        self.keys_max = keys_max
        self.value_bytes = value_bytes
        #: Why the store does not answer; set it to see what the plugin does then.
        self.unavailable: str | None = None
        # A key's version never comes again, not even when the key does.
        self._version = 0
        self._entries: dict[str, tuple[bytes, int, datetime | None]] = {}
        self._host: Host | None = None

    def bind(self, host: Host) -> None:
        """Keys live by this host's clock from now on."""
        self._host = host

    def get(self, key: str) -> tuple[bytes, int] | None:
        """The value of a key and its version."""
        self._remove_what_is_over()
        found = self._entries.get(key)
        return None if found is None else found[:2]

    def version_of(self, key: str) -> int | None:
        """The version of a key."""
        found = self.get(key)
        return None if found is None else found[1]

    def set(self, key: str, value: bytes, ttl_s: int | None) -> int | None:
        """Sets a key and gives its version; none when the quota is used up."""
        self._remove_what_is_over()
        others = {other: entry for other, entry in self._entries.items() if other != key}
        used = sum(len(other.encode()) + len(entry[0]) for other, entry in others.items())
        if used + len(key.encode()) + len(value) > self.bytes_max or len(others) >= self.keys_max:
            return None
        self._version += 1
        until = None if ttl_s is None else self._now() + timedelta(seconds=ttl_s)
        self._entries[key] = (bytes(value), self._version, until)
        return self._version

    def delete(self, key: str) -> None:
        """Removes a key."""
        self._entries.pop(key, None)

    def keys(self, prefix: str, after: str | None, limit: int) -> list[str]:
        """Keys that begin with a prefix, in the order of their bytes."""
        self._remove_what_is_over()
        found = sorted(
            (key for key in self._entries if key.startswith(prefix)),
            key=lambda key: key.encode(),
        )
        if after is not None:
            found = [key for key in found if key.encode() > after.encode()]
        return found[:limit]

    def _now(self) -> datetime:
        if self._host is None:
            raise RuntimeError("a store lives by the clock of a host: hand it to `testing.Host(kv=…)`")
        return self._host.now

    def _remove_what_is_over(self) -> None:
        now = self._now()
        self._entries = {key: entry for key, entry in self._entries.items() if entry[2] is None or entry[2] > now}

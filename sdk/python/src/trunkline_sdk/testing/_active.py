"""The test host that answers now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._hosting import Host

_hosts: list[Host] = []


def active() -> Host:
    """The innermost test host that was entered."""
    if not _hosts:
        raise RuntimeError(
            "a host function was called outside of a component: in a test, call the plugin within "
            "`with trunkline_sdk.testing.Host() as host:`"
        )
    return _hosts[-1]


def enter(host: Host) -> None:
    """From now on this one answers."""
    _hosts.append(host)


def leave(host: Host) -> None:
    """It answers no longer."""
    _hosts.remove(host)

"""`trunkline:host/config`."""

from .._active import active


def get(name: str) -> str | None:
    return active().config.get(name)


def all() -> list[tuple[str, str]]:
    return sorted(active().config.items())

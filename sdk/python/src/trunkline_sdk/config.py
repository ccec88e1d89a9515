"""Settings that hotline.yaml gives the plugin under ``config:``. They are texts."""

from collections.abc import Callable
from typing import TypeVar

from . import _host

_config = _host.interface("config", "trunkline:host/config@0.1.0")

T = TypeVar("T")


class Error(Exception):
    """A setting that is missing or that cannot be read."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        #: The setting's name.
        self.name = name


class Missing(Error):
    """The plugin cannot do without it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            f'the setting "{name}" is missing: add `config: {{ {name}: "…" }}` to this plugin in hotline.yaml',
        )


class Malformed(Error):
    """It has another form than the plugin reads."""

    def __init__(self, name: str, found: str, reason: str) -> None:
        super().__init__(
            name,
            f'the setting "{name}" is "{found}": {reason}; change `config: {{ {name}: "…" }}` of this plugin '
            "in hotline.yaml",
        )
        #: What hotline.yaml gives.
        self.found = found
        #: Why that is not it.
        self.reason = reason


def get(name: str) -> str | None:
    """One setting, or none when hotline.yaml does not give it."""
    found: str | None = _config.get(name)
    return found


def all() -> dict[str, str]:
    """All settings, sorted by name."""
    return dict(_config.all())


def require(name: str) -> str:
    """A setting that the plugin cannot do without.

    Raises :class:`Missing` when hotline.yaml does not give it.
    """
    found = get(name)
    if found is None:
        raise Missing(name)
    return found


def get_or(name: str, default: T, parse: Callable[[str], T] | None = None) -> T:
    """A setting of some type, or `default` when hotline.yaml does not give it.

    `parse` reads the text and raises ValueError when it is not what it should be; without it the
    setting is read as the type of `default`: str, int, float or bool (``true`` or ``false``).

    Raises :class:`Malformed` when it does not read so.
    """
    found = get(name)
    if found is None:
        return default
    try:
        return (parse or _reader_of(default))(found.strip())
    except ValueError as reason:
        raise Malformed(name, found, str(reason)) from None


def _reader_of(default: T) -> Callable[[str], T]:
    readers: dict[type, Callable[[str], object]] = {str: str, int: _int, float: _float, bool: _bool}
    reader = readers.get(type(default))
    if reader is None:
        raise TypeError(f"say how a {type(default).__name__} is read: get_or(name, default, parse)")
    return reader  # type: ignore[return-value]


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("it is no whole number") from None


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("it is no number") from None


def _bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("it is neither true nor false")
    return text == "true"

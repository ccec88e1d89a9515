"""Lines for the operator's log, under the plugin's name.

The host bounds the rate and masks nothing: personal data does not belong here.
"""

from . import _host

_log = _host.interface("log", "trunkline:host/log@0.1.0")


def debug(message: str) -> None:
    """Writes a line that helps the department alone."""
    _log.write(_log.Level.DEBUG, message)


def info(message: str) -> None:
    """Writes a line about the normal course of things."""
    _log.write(_log.Level.INFO, message)


def warn(message: str) -> None:
    """Writes a line about something that should be looked at."""
    _log.write(_log.Level.WARN, message)


def error(message: str) -> None:
    """Writes a line about something that failed."""
    _log.write(_log.Level.ERROR, message)

"""`trunkline:host/log`."""

from enum import Enum

from .._active import active


class Level(Enum):
    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


def write(level: Level, message: str) -> None:
    active().log.write(level.name.lower(), message)

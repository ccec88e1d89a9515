"""The exception by which a generated binding reports an error case."""

from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class Err(Exception):
    """An error case of a host function."""

    value: Any

"""Lines that a plugin logged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    #: ``debug``, ``info``, ``warn`` or ``error``.
    level: str
    message: str


class Lines(list[Line]):
    """All lines, in order."""

    def write(self, level: str, message: str) -> None:
        """Keeps one."""
        self.append(Line(level, message))

    def of(self, level: str) -> list[str]:
        """The messages of one level."""
        return [line.message for line in self if line.level == level]

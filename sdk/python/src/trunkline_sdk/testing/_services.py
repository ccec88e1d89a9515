"""Services behind HTTP: what they answer is scripted, what they were asked is kept."""

from __future__ import annotations

import json as _json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..http import Error, Reply
    from ._hosting import Host


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the service received it: secrets stand where their placeholders were."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of a name, in any case."""
        return next((value for other, value in self.headers if other.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body read as JSON."""
        return _json.loads(self.body)


@dataclass(slots=True)
class _Scripted:
    """What comes of requests that a line covers."""

    line: str
    #: In order; the last stays.
    outcomes: deque[Reply | Error] = field(default_factory=deque)
    takes: deque[timedelta] = field(default_factory=deque)

    def covers(self, method: str, url: str) -> bool:
        wanted, _, address = self.line.partition(" ")
        if wanted != method:
            return False
        return url.startswith(address[:-1]) if address.endswith("*") else url == address


class Services:
    """What answers the plugin's requests. A line is written as in grants.yaml:
    ``POST https://crm.civil.example/v1/*``; without the star it is one address."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._scripted: list[_Scripted] = []
        self._unscripted: list[str] = []
        #: All requests that reached a service.
        self.asked: list[Asked] = []

    def replies(
        self,
        line: str,
        *,
        status: int = 200,
        json: Any = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        takes: timedelta = timedelta(),
    ) -> None:
        """Requests that the line covers get this reply, after the time that it takes. Several for one
        line come one after the other, and the last stays."""
        from ..http import Reply

        lines = [(name, value.encode()) for name, value in (headers or {}).items()]
        if json is not None:
            body = _json.dumps(json, ensure_ascii=False).encode()
            lines.append(("content-type", b"application/json"))
        self._script(line, Reply(status, tuple(lines), body), takes)

    def fails(self, line: str, error: Error, *, takes: timedelta = timedelta()) -> None:
        """Requests that the line covers get no reply, but this error."""
        self._script(line, error, takes)

    def denies(self, line: str) -> None:
        """Requests that the line covers have no grant."""
        from ..http import Denied

        self.fails(line, Denied())

    def _script(self, line: str, outcome: Reply | Error, takes: timedelta) -> None:
        scripted = next((one for one in self._scripted if one.line == line), None)
        if scripted is None:
            scripted = _Scripted(line)
            self._scripted.append(scripted)
        scripted.outcomes.append(outcome)
        scripted.takes.append(takes)

    def answer(self, asked: Asked) -> tuple[Reply | Error, timedelta] | None:
        """What comes of a request and how long it takes; none when nothing was scripted for it."""
        scripted = next((one for one in self._scripted if one.covers(asked.method, asked.url)), None)
        if scripted is None:
            self._unscripted.append(f"{asked.method} {asked.url}")
            return None
        outcome, takes = scripted.outcomes[0], scripted.takes[0]
        if len(scripted.outcomes) > 1:
            scripted.outcomes.popleft()
            scripted.takes.popleft()
        self.asked.append(asked)
        return outcome, takes

    def fail_if_unscripted(self) -> None:
        """Fails when a request was made that nobody scripted a reply for."""
        if self._unscripted:
            raise AssertionError(
                f'no reply was scripted for {self._unscripted[0]}: add `host.http.replies("{self._unscripted[0]}", '
                "…)`, or `host.http.denies(…)` when it has no grant"
            )

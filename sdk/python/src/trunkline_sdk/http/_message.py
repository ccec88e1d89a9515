"""A request as it is sent, and a reply as it came."""

import json as _json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ._errors import NotJson


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    #: ``GET``, ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    #: Time for all of it: connecting, sending, and the reply to its last byte.
    timeout: timedelta
    #: Bytes that the reply's body may have.
    reply_bytes_max: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, whatever its status."""

    #: The status, such as 200.
    status: int
    headers: tuple[tuple[str, bytes], ...]
    #: The body's bytes.
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """The first header of a name, in any case, if it is there and is text."""
        for other, value in self.headers:
            if other.lower() == name.lower():
                try:
                    return value.decode()
                except UnicodeDecodeError:
                    return None
        return None

    def text(self) -> str:
        """The body as text. Raises :class:`NotJson` when it is not UTF-8."""
        try:
            return self.body.decode()
        except UnicodeDecodeError as error:
            raise NotJson(str(error)) from None

    def json(self) -> Any:
        """The body read as JSON. Raises :class:`NotJson` when it is none."""
        try:
            return _json.loads(self.body)
        except ValueError as error:
            raise NotJson(str(error)) from None

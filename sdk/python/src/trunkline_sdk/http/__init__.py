"""Requests to the services that the operator granted, by ``wasi:http``::

    reply = http.post(f"{url}/v1/citizens/find", json={"phone": phone},
                      timeout=call.current().remaining_less(MARGIN))
    if reply.is_success:
        return reply.json()

Every request has a deadline over all of it and a bound on the reply's bytes. Redirects are not
followed: an address that was not granted is not reached by a detour.
"""

import importlib
import json as _json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from .. import _host
from ._address import Address as _Address
from ._errors import (
    BadAddress,
    BadHeader,
    Broken,
    Denied,
    Error,
    NotJson,
    TimedOut,
    TooLarge,
    Unreachable,
)
from ._message import Reply, Request

__all__ = [
    "REPLY_BYTES_MAX_DEFAULT",
    "TIMEOUT_DEFAULT",
    "BadAddress",
    "BadHeader",
    "Broken",
    "Denied",
    "Error",
    "NotJson",
    "Reply",
    "Request",
    "TimedOut",
    "TooLarge",
    "Unreachable",
    "get",
    "post",
    "request",
]

#: Time for a whole request when none is given.
TIMEOUT_DEFAULT = timedelta(seconds=10)

#: Bytes of a reply's body when no other bound is given.
REPLY_BYTES_MAX_DEFAULT = 256 * 1024

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# Over the wire in a component; elsewhere what the test host answers.
_wire: Any = importlib.import_module(
    "trunkline_sdk.http._wire" if _host.IN_COMPONENT else "trunkline_sdk.testing._wire"
)


def get(
    url: str,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    timeout: timedelta = TIMEOUT_DEFAULT,
    reply_bytes_max: int = REPLY_BYTES_MAX_DEFAULT,
) -> Reply:
    """Reads: :func:`request` with GET."""
    return request("GET", url, headers=headers, timeout=timeout, reply_bytes_max=reply_bytes_max)


def post(
    url: str,
    *,
    body: bytes = b"",
    json: Any = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    timeout: timedelta = TIMEOUT_DEFAULT,
    reply_bytes_max: int = REPLY_BYTES_MAX_DEFAULT,
) -> Reply:
    """Submits: :func:`request` with POST."""
    return request(
        "POST",
        url,
        body=body,
        json=json,
        headers=headers,
        timeout=timeout,
        reply_bytes_max=reply_bytes_max,
    )


def request(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    json: Any = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    timeout: timedelta = TIMEOUT_DEFAULT,
    reply_bytes_max: int = REPLY_BYTES_MAX_DEFAULT,
) -> Reply:
    """Sends a request and waits for the whole reply. A status that speaks of failure is a reply like
    any other.

    `json` is written as JSON and said so in ``content-type``; give it or `body`, not both.

    Raises an :class:`Error` that says why there is no reply.
    """
    if method not in _METHODS:
        raise ValueError(f"the method {method!r} is none of {', '.join(_METHODS)}")
    if json is not None and body:
        raise ValueError("a request has a body or json, not both")
    address = _Address.parse(url)
    if address is None:
        raise BadAddress(url)
    lines = tuple(headers.items() if isinstance(headers, Mapping) else headers)
    if json is not None:
        body = _json.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
        lines += (("content-type", "application/json"),)
    asked = Request(method, url, lines, body, timeout, reply_bytes_max)
    reply: Reply = _wire.send(asked, address)
    return reply

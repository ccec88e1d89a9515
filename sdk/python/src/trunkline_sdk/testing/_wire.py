"""Requests of a plugin under test: to the scripted services, on the host's clock."""

from datetime import timedelta

from ..http._address import Address
from ..http._errors import BadHeader, Denied, TimedOut, TooLarge
from ..http._message import Reply, Request
from ._active import active
from ._services import Asked

#: Headers that the host sets itself and that no plugin may.
_FORBIDDEN = frozenset(
    (
        "connection",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


def send(request: Request, address: Address) -> Reply:
    """Sends a request and gives the whole reply."""
    host = active()
    headers = tuple((name, _with_secrets(name, value, address)) for name, value in request.headers)
    if request.timeout <= timedelta():
        raise TimedOut(request.timeout)
    scripted = host.http.answer(Asked(request.method, request.url, headers, request.body))
    if scripted is None:
        raise Denied
    outcome, takes = scripted
    if takes >= request.timeout:
        host.pass_time(request.timeout)
        raise TimedOut(request.timeout)
    host.pass_time(takes)
    if isinstance(outcome, Exception):
        raise outcome
    if len(outcome.body) > request.reply_bytes_max:
        raise TooLarge(request.reply_bytes_max)
    return outcome


def _with_secrets(name: str, value: str, address: Address) -> str:
    """A header's value as the service sees it."""
    well_formed = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not well_formed or name.lower() in _FORBIDDEN or any(c in value for c in "\r\n\0"):
        raise BadHeader(name)
    at = f"{'https' if address.secure else 'http'}://{address.authority}"
    for secret_name, secret in active().secrets.items():
        if secret.value is not None and secret.bound_to == at:
            value = value.replace(secret.placeholder(secret_name), secret.value)
    return value

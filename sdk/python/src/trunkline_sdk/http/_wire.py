"""One request over ``wasi:http``, under one deadline. Loaded in components only."""

from typing import Any

from .. import _host
from ._address import Address
from ._errors import BadAddress, BadHeader, Broken, Denied, Error, TimedOut, TooLarge, Unreachable
from ._message import Reply, Request

_HTTP = "wasi:http/outgoing-handler@0.2.6"
_handler = _host.wasi("outgoing_handler", _HTTP)
_types = _host.wasi("types", "wasi:http/types@0.2.6")
_streams = _host.wasi("streams", "wasi:io/streams@0.2.6")
_poll = _host.wasi("poll", "wasi:io/poll@0.2.6")
_clock = _host.wasi("monotonic_clock", "wasi:clocks/monotonic-clock@0.2.6")

#: Bytes asked for by one read of a reply's body.
CHUNK_BYTES = 64 * 1024


def send(request: Request, address: Address) -> Reply:
    """Sends a request and reads the whole reply."""
    deadline = _Deadline(request)
    outgoing = _outgoing(request, address)
    # The body is taken before the request is handed over, and written after it: nobody reads what
    # is written before.
    body = outgoing.body()
    try:
        future = _handler.handle(outgoing, _options(deadline))
    except _host.Err as error:
        raise deadline.error_of(error.value) from None
    _write(body, request.body, deadline)
    with future, _receive(future, deadline) as response:
        status = response.status()
        with response.headers() as fields:
            headers = tuple((name, bytes(value)) for name, value in fields.entries())
        return Reply(status, headers, _read(response, request.reply_bytes_max, deadline))


def _outgoing(request: Request, address: Address) -> Any:
    headers = _types.Fields()
    lines = request.headers
    if request.body:
        lines += (("content-length", str(len(request.body))),)
    for name, value in lines:
        try:
            headers.append(name, value.encode())
        except _host.Err:
            raise BadHeader(name) from None
    outgoing = _types.OutgoingRequest(headers)
    method = getattr(_types, f"Method_{request.method.capitalize()}")()
    scheme = _types.Scheme_Https() if address.secure else _types.Scheme_Http()
    try:
        outgoing.set_method(method)
        outgoing.set_scheme(scheme)
        outgoing.set_authority(address.authority)
        outgoing.set_path_with_query(address.path_with_query)
    except _host.Err:
        raise BadAddress(request.url) from None
    return outgoing


def _options(deadline: "_Deadline") -> Any:
    """Tells the host how long it may try; the deadline here holds whether it listens or not."""
    options = _types.RequestOptions()
    for limit in (
        options.set_connect_timeout,
        options.set_first_byte_timeout,
        options.set_between_bytes_timeout,
    ):
        try:
            limit(deadline.nanos)
        except _host.Err:
            pass  # A host without one of these timeouts says so, and the deadline stays.
    return options


def _write(body: Any, content: bytes, deadline: "_Deadline") -> None:
    if content:
        # Let go of before the body is finished, the stream's pollable first: children go first.
        with body.write() as stream, stream.subscribe() as ready:
            while content:
                try:
                    permit = stream.check_write()
                    stream.write(content[:permit])
                except _host.Err:
                    break  # A service may answer before it has read everything: the reply decides.
                content = content[permit:]
                if content:
                    deadline.wait(ready)
    try:
        _types.OutgoingBody.finish(body, None)
    except _host.Err:
        pass  # The service did not read all of it, and then the reply decides again.


def _receive(future: Any, deadline: "_Deadline") -> Any:
    with future.subscribe() as ready:
        deadline.wait(ready)
    taken = future.get()
    if taken is None:
        raise Broken("the host woke us without a reply")
    if isinstance(taken, _host.Err):
        raise Broken("the reply was taken")
    answered = taken.value
    if isinstance(answered, _host.Err):
        raise deadline.error_of(answered.value)
    return answered.value


def _read(response: Any, bytes_max: int, deadline: "_Deadline") -> bytes:
    content = bytearray()
    with response.consume() as body, body.stream() as stream, stream.subscribe() as ready:
        while True:
            deadline.wait(ready)
            try:
                chunk = stream.read(CHUNK_BYTES)
            except _host.Err as error:
                if isinstance(error.value, _streams.StreamError_Closed):
                    return bytes(content)
                failed = error.value.value
                code = _types.http_error_code(failed)
                raise (Broken(failed.to_debug_string()) if code is None else deadline.error_of(code)) from None
            if len(content) + len(chunk) > bytes_max:
                raise TooLarge(bytes_max)
            content += chunk


class _Deadline:
    """When a request ends, come what may."""

    def __init__(self, request: Request) -> None:
        self.total = request.timeout
        self.nanos = max(int(request.timeout.total_seconds() * 1_000_000_000), 0)
        # Of the monotonic clock.
        self.end = _clock.now() + self.nanos

    def wait(self, ready: Any) -> None:
        """Waits until something is ready."""
        left = self.end - _clock.now()
        if left <= 0:
            raise TimedOut(self.total)
        with _clock.subscribe_duration(left) as over:
            if 0 not in _poll.poll([ready, over]):
                raise TimedOut(self.total)

    def error_of(self, code: Any) -> Error:
        """What an error code of the host means."""
        name = type(code).__name__.removeprefix("ErrorCode_")
        if name in ("HttpRequestDenied", "DestinationIpProhibited"):
            return Denied()
        if name in _TIMED_OUT:
            return TimedOut(self.total)
        detail = getattr(code, "value", None)
        why = name if detail is None else f"{name}: {detail}"
        if name in _UNREACHABLE:
            return Unreachable(why)
        return Broken(str(detail) if name == "InternalError" and detail else why)


_TIMED_OUT = frozenset(
    (
        "ConnectionTimeout",
        "ConnectionReadTimeout",
        "ConnectionWriteTimeout",
        "HttpResponseTimeout",
        "DnsTimeout",
    )
)
_UNREACHABLE = frozenset(
    (
        "DnsError",
        "DestinationNotFound",
        "DestinationUnavailable",
        "DestinationIpUnroutable",
        "ConnectionRefused",
        "ConnectionLimitReached",
        "TlsProtocolError",
        "TlsCertificateError",
        "TlsAlertReceived",
    )
)

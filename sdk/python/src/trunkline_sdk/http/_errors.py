"""Why there is no reply."""

from datetime import timedelta


class Error(Exception):
    """There is no reply."""


class BadAddress(Error):
    """The address is none that can be requested."""

    def __init__(self, url: str) -> None:
        super().__init__(f'"{url}" is no address of the form http://host:port/path or https://host/path')
        #: What was given.
        self.url = url


class BadHeader(Error):
    """A header that may not be sent."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'the header "{name}" cannot be sent: its name or value is malformed, or the host sets it itself'
        )
        #: Its name.
        self.name = name


class Denied(Error):
    """The operator's grants do not cover the request, or the address it resolves to."""

    def __init__(self) -> None:
        super().__init__("the host refused the request: grant it under `http:` of this plugin in grants.yaml")


class TimedOut(Error):
    """No complete reply came in time."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(f"no complete reply within {after // timedelta(milliseconds=1)} ms")
        #: The time that the request had.
        self.after = after


class Unreachable(Error):
    """No connection could be made."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the service is not reachable: {why}")
        #: What the host says of it.
        self.why = why


class TooLarge(Error):
    """The body has more bytes than were asked for."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"the reply has more than {bytes_max} bytes")
        #: The bound of the request.
        self.bytes_max = bytes_max


class Broken(Error):
    """The connection broke or spoke no proper HTTP."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the reply broke off: {why}")
        #: What the host says of it.
        self.why = why


class NotJson(Error):
    """The body is not the JSON, or the text, that was asked for."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the body is not what was asked for: {why}")
        #: What is wrong with it.
        self.why = why

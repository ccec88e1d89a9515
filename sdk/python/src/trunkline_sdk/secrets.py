"""Secrets that the operator keeps: the plugin uses them and never sees them. Each is bound to the
host that it is for, in ``secrets:`` of the plugin in grants.yaml."""

from enum import Enum

from . import _host

_secrets = _host.interface("secrets", "trunkline:host/secrets@0.1.0")


class Algorithm(Enum):
    """How bytes are signed."""

    #: HMAC with SHA-256 (RFC 2104), 32 bytes.
    HMAC_SHA256 = "hmac-sha256"
    #: HMAC with SHA-512, 64 bytes.
    HMAC_SHA512 = "hmac-sha512"
    #: Ed25519 (RFC 8032), 64 bytes; the secret is the private key's 32 bytes.
    ED25519 = "ed25519"


class Error(Exception):
    """The secret cannot be used."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        #: The secret's name.
        self.name = name


class NotGranted(Error):
    """grants.yaml names no such secret for this plugin."""

    def __init__(self, name: str) -> None:
        super().__init__(
            name,
            f'the secret "{name}" is not granted: add `secrets: {{ {name}: https://its.host.example }}` to '
            "this plugin in grants.yaml",
        )


class Missing(Error):
    """It is granted, and the server has no value for it."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f'the server has no value for the secret "{name}": add it to the server\'s secrets')


class Unusable(Error):
    """The value is no key of the algorithm."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(name, f'the secret "{name}" is no key of this algorithm: {why}')
        #: What the host says of it.
        self.why = why


def placeholder(name: str) -> str:
    """A text that stands for the secret. Put it into the value of a header: on the way to the
    secret's own host the value takes its place. Anywhere else it stays what it is."""
    try:
        text: str = _secrets.placeholder(name)
        return text
    except _host.Err as error:
        raise _error(name, error.value) from None


def sign(name: str, algorithm: Algorithm, data: bytes) -> bytes:
    """Signs bytes with the secret as the key."""
    try:
        return bytes(_secrets.sign(name, _secrets.Algorithm[algorithm.name], data))
    except _host.Err as error:
        raise _error(name, error.value) from None


def _error(name: str, case: object) -> Error:
    match case:
        case _secrets.Error_NotGranted():
            return NotGranted(name)
        case _secrets.Error_Missing():
            return Missing(name)
        case _:
            return Unusable(name, str(getattr(case, "value", case)))

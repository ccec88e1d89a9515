"""`trunkline:host/secrets`."""

import hashlib
import hmac
from dataclasses import dataclass
from enum import Enum

from .._active import active
from .err import Err


class Algorithm(Enum):
    HMAC_SHA256 = 0
    HMAC_SHA512 = 1
    ED25519 = 2


@dataclass
class Error_NotGranted:
    pass


@dataclass
class Error_Missing:
    pass


@dataclass
class Error_Unusable:
    value: str


Error = Error_NotGranted | Error_Missing | Error_Unusable

_HASHES = {Algorithm.HMAC_SHA256: hashlib.sha256, Algorithm.HMAC_SHA512: hashlib.sha512}


def placeholder(name: str) -> str:
    _value(name)
    return active().secrets[name].placeholder(name)


def sign(name: str, algorithm: Algorithm, bytes: bytes) -> bytes:
    value = _value(name)
    hashing = _HASHES.get(algorithm)
    if hashing is None:
        raise NotImplementedError(
            "the test host signs with HMAC only; test what is signed with ed25519 against the runtime"
        )
    return hmac.new(value.encode(), bytes, hashing).digest()


def _value(name: str) -> str:
    secret = active().secrets.get(name)
    if secret is None:
        raise Err(Error_NotGranted())
    if secret.value is None:
        raise Err(Error_Missing())
    return secret.value

"""The parts of an address, as ``wasi:http`` wants them apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """An address of http or https."""

    #: Whether it is https.
    secure: bool
    #: Host and port, ``127.0.0.1:7001``.
    authority: str
    #: Path and query, ``/v1/notices?district=xihu``; ``/`` when the address gives neither.
    path_with_query: str

    @classmethod
    def parse(cls, url: str) -> "Address | None":
        """Takes an address apart; none when it is of another scheme, has no host, names a user, or
        holds characters that no address has."""
        if not all("!" <= character <= "~" for character in url):
            return None
        scheme, found, rest = url.partition("://")
        secure = {"http": False, "https": True}.get(scheme.lower())
        if not found or secure is None:
            return None
        rest = rest.split("#", 1)[0]
        end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        authority, path = rest[:end], rest[end:]
        if not authority or authority.startswith(":") or "@" in authority:
            return None
        return cls(secure, authority, path if path.startswith("/") else f"/{path}")

"""A secret that the operator keeps."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret and the host that it is bound to."""

    #: Its value; none when it is granted and the server has none.
    value: str | None
    #: Scheme, host and port, as grants.yaml has it: ``https://crm.civil.example``.
    bound_to: str = ""

    def placeholder(self, name: str) -> str:
        """The text that stands for it. Its form is the test host's: rely on none."""
        return f"<secret {name}>"

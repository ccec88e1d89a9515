"""A host to test a plugin with, in memory, under plain ``python -m unittest``::

    from trunkline_sdk import testing

    testing.bindings()          # before the plugin is imported
    import my_plugin

    class Answers(unittest.TestCase):
        def test_greets(self) -> None:
            with testing.Host(locale="en") as host:
                self.assertEqual(my_plugin.Greeting().greet("Ann"), "Hello, Ann")
            with testing.Host(), testing.refuses(greeting.GreetError_Nameless):
                my_plugin.Greeting().greet("")

Its interfaces behave as the runtime's: versions, times to live and quotas of keys, secrets that
stand for themselves until they reach their host, deadlines and bounds of requests. What it does not
have: grants beside those of HTTP, limits of memory and time, and signatures by ed25519.
"""

from ._bindings import bindings
from ._hosting import Host
from ._lines import Line, Lines
from ._refusing import refuses
from ._secret import Secret
from ._services import Asked, Services
from ._store import Store

__all__ = [
    "Asked",
    "Host",
    "Line",
    "Lines",
    "Secret",
    "Services",
    "Store",
    "bindings",
    "refuses",
]

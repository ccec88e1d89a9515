"""What a Trunkline plugin written in Python needs besides its own interface.

=========  ==============================================================================
module     capability
=========  ==============================================================================
call       the call under way: its id, attempt, language and the time that is left
log        lines for the operator
config     settings from ``config:`` in hotline.yaml
clock      the time of day
kv         key-values of the plugin's own
secrets    secrets that the plugin uses and never sees
http       requests to the services that the operator granted
=========  ==============================================================================

The plugin's world in ``wit/`` chooses: a module works when the world imports its interface, and
what the world does not import is not in the component. Importing a module whose interface is not
imported fails the build, with the line to add.

Outside of a component the same modules ask :mod:`trunkline_sdk.testing`, so a plugin's tests run
under ``python -m unittest``.

A function says no by raising :class:`Refusal` with one of its WIT error's cases; each case is an
edge in the flow. Any other exception is the fault ``trap``, and the operator's log says where.
"""

import sys
from typing import TYPE_CHECKING, Any

from . import _trap

__all__ = ["Refusal"]

if sys.platform == "wasi":
    _trap.install()

if TYPE_CHECKING:
    from typing import Generic, TypeVar

    E = TypeVar("E")

    class Refusal(Exception, Generic[E]):
        """A function's own error: raise it with a case, ``raise Refusal(lookup.Error_NotFound())``."""

        value: E

        def __init__(self, value: E) -> None: ...


def __getattr__(name: str) -> Any:
    # Looked up when it is asked for: the class comes with the plugin's generated bindings, which
    # tests make importable first.
    if name != "Refusal":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from componentize_py_types import Err  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError:
        raise ImportError(
            "Refusal comes with the plugin's bindings, and they are not there: call "
            "`trunkline_sdk.testing.bindings()` before the plugin is imported"
        ) from None
    # It is generated as a frozen dataclass, and whoever hands an exception on sets its traceback:
    # `contextlib` does, and `unittest`.
    Err.__setattr__ = Exception.__setattr__
    Err.__delattr__ = Exception.__delattr__
    return Err

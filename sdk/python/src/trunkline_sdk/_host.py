"""Where the wrappers find the host's interfaces: in a component the bindings of its world, and
anywhere else the modules of the test host, which have the same shape."""

import importlib
import sys
from types import ModuleType
from typing import Any

#: Whether this runs inside of a component, or is being put into one.
IN_COMPONENT = sys.platform == "wasi"

#: Errors of the host's functions arrive as this exception, with the error's case in `value`.
Err: Any
if IN_COMPONENT:
    Err = importlib.import_module("componentize_py_types").Err
else:
    Err = importlib.import_module("trunkline_sdk.testing._interfaces.err").Err


def interface(name: str, wit: str) -> Any:
    """The functions and types of an interface of `trunkline:host`, as Python names it."""
    return _found(name, wit, f"trunkline_sdk.testing._interfaces.{name}")


def wasi(name: str, wit: str) -> Any:
    """The functions and types of an interface of WASI that the world imports."""
    return _found(name, wit, f"trunkline_sdk.testing._interfaces.{name}")


def _found(name: str, wit: str, tested: str) -> ModuleType:
    if not IN_COMPONENT:
        return importlib.import_module(tested)
    # A name that two packages of a world share is written with its package.
    package = wit.split("/", 1)[0].replace(":", "_").replace("-", "_")
    for module in (f"{package}_{name}", name):
        try:
            return importlib.import_module(f"wit_world.imports.{module}")
        except ModuleNotFoundError:
            continue
    raise ImportError(
        f"the plugin's world does not import {wit}: add `import {wit};` to the world in wit/, "
        f"or leave out what needs it"
    )

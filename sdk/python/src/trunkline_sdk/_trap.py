"""What is said of an exception that no function of the plugin's caught: the call ends as the fault
``trap``, and the operator's log says where, when the world imports it."""

import importlib
import sys
from types import TracebackType
from typing import Any

#: Places that are named, the innermost first.
PLACES_MAX = 6


def told(kind: type[BaseException], trace: TracebackType | None) -> str:
    """The exception's type and the places that it came through. Neither its text nor any value:
    those may be personal, and the log is no place for that."""
    # Not by the module `traceback`: that looks for the source, and there are no files.
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return " < ".join([f"{kind.__name__} was not caught", *reversed(places[-PLACES_MAX:])])


def install() -> None:
    """From now on the log is told."""
    try:
        log: Any = importlib.import_module("wit_world.imports.log")
    except ModuleNotFoundError:
        return
    before = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.write(log.Level.ERROR, told(kind, trace))
        # The whole of it goes to standard error, which ends in the fault's message where the world
        # imports anything of WASI, and else nowhere.
        before(kind, error, trace)

    sys.excepthook = tell

"""Tests of the SDK, on this machine: `python3 -m unittest discover --top-level-directory . --start-directory tests`
in sdk/python, with `src` in PYTHONPATH, or `cargo xtask test`."""

from pathlib import Path

from trunkline_sdk import testing

#: A plugin that asks each of the host's interfaces.
PROBE = Path(__file__).resolve().parent / "probe"

testing.bindings(PROBE)

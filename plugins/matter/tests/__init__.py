"""Tests of the plugin, on this machine: `python3 -m unittest discover --top-level-directory . --start-directory tests`
in the plugin's folder, or `cargo xtask test`."""

from pathlib import Path

from trunkline_sdk import testing

FOLDER = Path(__file__).resolve().parent.parent

testing.bindings(FOLDER)

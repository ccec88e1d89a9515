"""Tests of the plugin, without a runtime: `python3 -m unittest` in the plugin's folder."""

from pathlib import Path

from trunkline_sdk import testing

# Before the plugin is imported: it imports what is generated of its interface.
testing.bindings(Path(__file__).resolve().parent.parent)

"""README.md, followed to the letter: its plugin is written, tested and built as it says."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from trunkline_sdk import config, http, kv, log, secrets, testing

SDK = Path(__file__).resolve().parent.parent
README = (SDK / "README.md").read_text()

#: Code that begins with a comment that names its file.
FILE = re.compile(r"```\w+\n(?:#|//) (\S+?)(?::[^\n]*)?\n(.*?)```", re.DOTALL)


class Readme(unittest.TestCase):
    def test_the_first_plugin(self) -> None:
        files = dict(FILE.findall(README))
        self.assertEqual(
            sorted(files),
            ["plugin.toml", "src/greeter.py", "tests/__init__.py", "tests/test_greeter.py", "wit/greeter.wit"],
        )
        with tempfile.TemporaryDirectory() as scratch:
            for name, text in files.items():
                place = Path(scratch) / name
                place.parent.mkdir(exist_ok=True)
                place.write_text(text)
            for arguments, said in (
                (["-m", "unittest"], "Ran 2 tests"),
                (["-m", "trunkline_sdk.build"], "dist/greeter.wasm: "),
            ):
                run = subprocess.run(
                    [sys.executable, *arguments],
                    cwd=scratch,
                    env={**os.environ, "PYTHONPATH": str(SDK / "src")},
                    capture_output=True,
                    text=True,
                )
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn(said, run.stdout + run.stderr)
            component = (Path(scratch) / "dist" / "greeter.wasm").read_bytes()
        self.assertEqual(component[:4], b"\0asm")
        self.assertIn(b"trunkline:wit", component[-2_000:])
        self.assertIn(b"/// Greets a caller by name.", component[-2_000:])

    def test_every_function_that_is_named_is_there(self) -> None:
        table = README.split("| `trunkline_sdk.` |", 1)[1].split("\n\n", 1)[0]
        for module in (config, http, kv, log, secrets):
            name = module.__name__.rsplit(".", 1)[1]
            (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}` |")]
            for function in re.findall(r"`(\w+)(?:\([^)]*\))?`", row.split("|")[2]):
                self.assertTrue(hasattr(module, function), f"{name}.{function}")

    def test_the_test_host_does_what_is_said_of_it(self) -> None:
        for name in re.findall(r"`testing\.(\w+)", README):
            self.assertTrue(hasattr(testing, name), name)

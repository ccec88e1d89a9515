"""The template, as `trunkline plugin new` fills it in: its own tests pass, whatever it wants."""

import ast
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SDK = Path(__file__).resolve().parent.parent
TEMPLATE = SDK / "template"

VALUES = {
    "name": "meter-readings",
    "snake_name": "meter_readings",
    "department": "water-works",
    "version": "0.3.0",
}


def filled(text: str, wants: set[str]) -> str:
    """A file of the template, filled in."""
    for want in ("http", "kv", "secrets"):
        kept = r"\1" if want in wants else ""
        text = re.sub(rf"\{{\{{#{want}\}}\}}(.*?)\{{\{{/{want}\}}\}}", kept, text, flags=re.DOTALL)
    for name, value in VALUES.items():
        text = text.replace("{{" + name + "}}", value)
    return text


class Template(unittest.TestCase):
    def make(self, folder: Path, wants: set[str]) -> None:
        for file in sorted(TEMPLATE.rglob("*")):
            inside = file.relative_to(TEMPLATE)
            if not file.is_file() or "__pycache__" in inside.parts:
                continue
            place = folder / inside
            place.parent.mkdir(parents=True, exist_ok=True)
            text = filled(file.read_text(), wants)
            self.assertNotIn("{{", text, inside)
            if file.suffix == ".py":
                ast.parse(text)
            place.write_text(text)

    def test_the_tests_of_each_kind_pass(self) -> None:
        for wants in (set(), {"http"}, {"kv"}, {"http", "kv"}, {"http", "secrets"}, {"http", "kv", "secrets"}):
            with self.subTest(wants=sorted(wants)), tempfile.TemporaryDirectory() as scratch:
                self.make(Path(scratch), wants)
                run = subprocess.run(
                    [sys.executable, "-m", "unittest"],
                    cwd=scratch,
                    env={**os.environ, "PYTHONPATH": str(SDK / "src")},
                    capture_output=True,
                    text=True,
                )
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertRegex(run.stderr, rf"Ran {3 + ('kv' in wants) + 3 * ('http' in wants)} tests")

    def test_the_pin_is_the_sdks(self) -> None:
        self.assertEqual((TEMPLATE / "requirements.txt").read_text(), (SDK / "requirements.txt").read_text())

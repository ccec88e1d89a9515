"""The test host has the shape of what componentize-py generates for the host's interfaces."""

import ast
import importlib
import tempfile
import unittest
from pathlib import Path

from trunkline_sdk.build import Project, generate_bindings

SDK = Path(__file__).resolve().parent.parent / "src" / "trunkline_sdk"
HOST = SDK.parents[3] / "wit" / "host-0.1.0" / "host.wit"

WORLD = """package centre:all@0.1.0;
interface answer { answer: func(); }
world plugin {
  import trunkline:host/call@0.1.0;
  import trunkline:host/log@0.1.0;
  import trunkline:host/config@0.1.0;
  import trunkline:host/kv@0.1.0;
  import trunkline:host/secrets@0.1.0;
  import wasi:clocks/wall-clock@0.2.6;
  import wasi:http/outgoing-handler@0.2.6;
  import wasi:random/random@0.2.6;
  export answer;
}
"""

TESTED = ("call", "log", "config", "kv", "secrets", "wall_clock")


def shape(source: str) -> dict[str, object]:
    """Functions with their parameters, classes with their fields."""
    found: dict[str, object] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [argument.arg for argument in node.args.args]
        elif isinstance(node, ast.ClassDef):
            found[node.name] = [
                ast.unparse(part.target if isinstance(part, ast.AnnAssign) else part.targets[0])
                for part in node.body
                if isinstance(part, (ast.AnnAssign, ast.Assign))
            ]
    return found


class Interfaces(unittest.TestCase):
    folder: Path

    @classmethod
    def setUpClass(cls) -> None:
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        folder = Path(scratch.name)
        (folder / "wit").mkdir()
        (folder / "wit" / "all.wit").write_text(WORLD)
        (folder / "plugin.toml").write_text('[plugin]\nname = "all"\n')
        cls.folder = folder / "bindings"
        generate_bindings(Project.read(folder), cls.folder)

    def test_each_interface_has_the_generated_shape(self) -> None:
        for name in TESTED:
            with self.subTest(name):
                generated = shape((self.folder / "wit_world" / "imports" / f"{name}.py").read_text())
                own = importlib.import_module(f"trunkline_sdk.testing._interfaces.{name}")
                ours = shape(Path(own.__file__ or "").read_text())
                public = {key: value for key, value in ours.items() if not key.startswith("_")}
                self.assertEqual(public, generated)

    def test_what_the_wire_asks_for_is_generated(self) -> None:
        imports = self.folder / "wit_world" / "imports"
        types = shape((imports / "types.py").read_text())
        for name in (
            "Fields",
            "OutgoingRequest",
            "RequestOptions",
            "OutgoingBody",
            "Method_Patch",
            "Scheme_Https",
            "http_error_code",
            "ErrorCode_HttpRequestDenied",
            "ErrorCode_InternalError",
        ):
            self.assertIn(name, types)
        wire = (SDK / "http" / "_wire.py").read_text()
        generated = {name.removeprefix("ErrorCode_") for name in types if name.startswith("ErrorCode_")}
        for listed in ("_TIMED_OUT", "_UNREACHABLE"):
            listing = wire.split(f"{listed} = frozenset(", 1)[1].split(")\n)", 1)[0]
            for code in {part for part in listing.replace('"', " ").replace(",", " ").split() if part.isalpha()}:
                self.assertIn(code, generated)

    def test_the_wit_is_the_hosts(self) -> None:
        self.assertEqual((SDK / "wit" / "trunkline-host.wit").read_text(), HOST.read_text())

"""The build's own decisions; components themselves are built and called by the end-to-end tests."""

import tempfile
import tomllib
import unittest
from pathlib import Path

from trunkline_sdk import build

from tests import PROBE

ROOT = Path(__file__).resolve().parent.parent


class Folders(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def plugin(
        self, toml: str = '[plugin]\nname = "crm-lookup"\n', wit: str = "", source: bool = True
    ) -> build.Project:
        (self.folder / "plugin.toml").write_text(toml)
        for part in ("wit", "src"):
            (self.folder / part).mkdir()
        if wit:
            (self.folder / "wit" / "a.wit").write_text(wit)
        (self.folder / "src" / "crm_lookup.py").write_text("")
        return build.Project.read(self.folder)

    def test_what_plugin_toml_leaves_out(self) -> None:
        project = self.plugin()
        self.assertEqual(project.component, self.folder / "dist" / "crm-lookup.wasm")
        self.assertEqual((project.module, project.wit), ("crm_lookup", self.folder / "wit"))

    def test_a_module_app_will_do(self) -> None:
        project = self.plugin()
        (self.folder / "src" / "app.py").write_text("")
        self.assertEqual(project.module, "crm_lookup")
        (self.folder / "src" / "crm_lookup.py").unlink()
        self.assertEqual(project.module, "app")

    def test_what_plugin_toml_says(self) -> None:
        project = self.plugin('[plugin]\nname = "a"\n[build]\ncomponent = "out/b.wasm"\nwit = "interface"\n')
        self.assertEqual((project.component, project.wit), (self.folder / "out/b.wasm", self.folder / "interface"))

    def test_errors_say_what_mends_them(self) -> None:
        with self.assertRaisesRegex(build.BuildError, "no .*plugin.toml"):
            build.Project.read(self.folder)
        project = self.plugin()
        with self.assertRaisesRegex(build.BuildError, "holds no .wit file"):
            build.build(project)
        (self.folder / "wit" / "a.wit").write_text("package a:b; world plugin {}")
        with self.assertRaisesRegex(build.BuildError, 'both named "plugin"'):
            build.build(project, module="plugin")
        with self.assertRaisesRegex(build.BuildError, "there is no .*elsewhere.py"):
            build.build(project, module="elsewhere")
        for toml in ("[plugin]\n", '[plugin]\nname = "Crm"\n'):
            (self.folder / "plugin.toml").write_text(toml)
            with self.assertRaisesRegex(build.BuildError, "kebab-case"):
                build.Project.read(self.folder)

    def test_a_fault_in_the_wit_is_told_without_the_tools_frames(self) -> None:
        project = self.plugin(wit="package a:b;\nworld plugin {\n  import trunkline:host/nowhere@0.1.0;\n}\n")
        with self.assertRaises(build.BuildError) as error:
            build.build(project)
        self.assertIn("nowhere", str(error.exception))
        self.assertNotIn("Traceback", str(error.exception))

    def test_wasi_is_linked_when_the_world_imports_of_it(self) -> None:
        for wit, wants in (
            ("package a:b;\nworld plugin {\n  import trunkline:host/kv@0.1.0;\n}\n", False),
            ("package a:b;\n/// Not import wasi:http.\nworld plugin {}\n", False),
            ("package a:b;\nworld plugin {\n  import wasi:http/outgoing-handler@0.2.6;\n}\n", True),
            ("package a:b;\nworld plugin {\n  import clock: wasi:clocks/wall-clock@0.2.6;\n}\n", True),
        ):
            with self.subTest(wit), tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "wit").mkdir()
                (Path(folder) / "wit" / "a.wit").write_text(wit)
                (Path(folder) / "plugin.toml").write_text('[plugin]\nname = "a"\n')
                self.assertIs(build.wants_wasi(build.Project.read(Path(folder))), wants)


class Sections(unittest.TestCase):
    def test_a_custom_section(self) -> None:
        self.assertEqual(build.custom_section("ab", b"cd"), b"\0\x05\x02abcd")
        self.assertEqual(build.custom_section("a", b"x" * 200)[:4], b"\0\xca\x01\x01")

    def test_the_probe_is_found(self) -> None:
        self.assertEqual(build.Project.read(PROBE).module, "python_probe")

    def test_versions_are_pinned_alike(self) -> None:
        pinned = f"componentize-py=={build.COMPONENTIZE_PY}"
        self.assertEqual((ROOT / "requirements.txt").read_text().strip(), pinned)
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        self.assertEqual(project["optional-dependencies"]["build"], [pinned])

"""Makes a plugin's component: ``python -m trunkline_sdk.build``, in the folder of its plugin.toml.

It is plugin.toml's command for the language ``python``. The module with the plugin's classes is
``src/NAME.py`` (or a package ``src/NAME/``), NAME being that of plugin.toml with underscores, or else
``src/app.py``; the world is ``plugin`` in ``wit/``. What the world imports of ``trunkline:host`` and of WASI comes with
the SDK: the plugin's own ``wit/deps`` need not have it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: The custom section that carries the WIT with its comments, which components forget.
WIT_SECTION = "trunkline:wit"

#: The version of componentize-py that the SDK is tested with.
COMPONENTIZE_PY = "0.25.1"

#: The world that is built unless another is named.
WORLD = "plugin"

#: The module that is built when none has the plugin's name.
APP = "app"

_SDK_WIT = Path(__file__).parent / "wit"
_SDK_SOURCES = Path(__file__).parent.parent


class BuildError(Exception):
    """Why there is no component; what, where, and what mends it."""


@dataclass(frozen=True, slots=True)
class Project:
    """A plugin's folder, as far as the build reads its plugin.toml."""

    folder: Path
    name: str
    #: Where the component is to lie.
    component: Path
    #: The folder of the WIT.
    wit: Path

    @classmethod
    def read(cls, folder: Path) -> "Project":
        """Reads plugin.toml."""
        path = folder / "plugin.toml"
        try:
            with path.open("rb") as file:
                content = tomllib.load(file)
        except FileNotFoundError:
            raise BuildError(f"there is no {path}; name the folder that has it, or write one") from None
        except tomllib.TOMLDecodeError as error:
            raise BuildError(f"{path}: {error}") from None
        name = content.get("plugin", {}).get("name")
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
            raise BuildError(f'{path}: [plugin] has no kebab-case name; write `name = "crm-lookup"`')
        build = content.get("build", {})
        return cls(
            folder=folder,
            name=name,
            component=folder / build.get("component", f"dist/{name}.wasm"),
            wit=folder / build.get("wit", "wit"),
        )

    @property
    def sources(self) -> Path:
        """Where the plugin's modules lie."""
        return self.folder / "src"

    @property
    def module(self) -> str:
        """The module with the classes that the world's exports ask for."""
        own = self.name.replace("-", "_")
        return own if self.has_module(own) or not self.has_module(APP) else APP

    def has_module(self, name: str) -> bool:
        """Whether a module, or a package, of this name is there."""
        return any((self.sources / file).is_file() for file in (f"{name}.py", f"{name}/__init__.py"))

    def wit_files(self) -> list[Path]:
        """The plugin's own WIT, without what it depends on."""
        files = sorted(self.wit.glob("*.wit"))
        if not files:
            raise BuildError(f"{self.wit} holds no .wit file; the plugin's interface and its world belong there")
        return files

    def wit_texts(self) -> list[str]:
        """All WIT of the plugin's folder."""
        self.wit_files()
        return [file.read_text() for file in sorted(self.wit.rglob("*.wit"))]


def build(project: Project, *, world: str = WORLD, module: str | None = None, output: Path | None = None) -> Path:
    """Makes the component, whole or not at all, and gives its path."""
    module = module or project.module
    output = output or project.component
    if module == world:
        raise BuildError(
            f'the module and the world are both named "{module}"; give the plugin another name, or name '
            f"a module with --module"
        )
    if not project.has_module(module):
        raise BuildError(
            f"there is no {project.sources / module}.py; put the plugin's classes there, or name their "
            f"module with --module"
        )
    with _staged_wit(project) as wit, tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "component.wasm"
        arguments = ["--wit-path", str(wit), "--world", world, "componentize", module, "--output", str(made)]
        for path in (project.sources, _SDK_SOURCES):
            arguments += ["--python-path", str(path.resolve())]
        if not wants_wasi(project):
            arguments.append("--stub-wasi")
        _componentize_py(arguments, project)
        texts = (file.read_text().rstrip() + "\n" for file in project.wit_files())
        content = made.read_bytes() + custom_section(WIT_SECTION, "\n".join(texts).encode())
    output.parent.mkdir(parents=True, exist_ok=True)
    beside = output.with_name(f"{output.name}.{os.getpid()}.new")
    beside.write_bytes(content)
    beside.replace(output)
    return output


def generate_bindings(project: Project, place: Path, *, world: str = WORLD) -> None:
    """Writes the bindings of a plugin's world as Python modules: types that are real, and functions
    of the host that are not."""
    with _staged_wit(project) as wit, tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "bindings"
        _componentize_py(["--wit-path", str(wit), "--world", world, "bindings", str(made)], project)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(made, place)


def wants_wasi(project: Project) -> bool:
    """Whether the plugin's WIT imports anything of WASI.

    One that does is linked with all of WASI that Python's standard library asks for, which the host
    answers with nothing but clocks and random numbers. One that does not is built with traps in
    place of WASI, and imports nothing beside `trunkline:host`.
    """
    statement = re.compile(r"^\s*(import|include)\s+(\w[\w-]*\s*:\s*)?wasi:", re.MULTILINE)
    return any(statement.search(text) for text in project.wit_texts())


def custom_section(name: str, content: bytes) -> bytes:
    """A custom section of WebAssembly."""
    named = _leb128(len(name.encode())) + name.encode() + content
    return b"\0" + _leb128(len(named)) + named


def _leb128(number: int) -> bytes:
    encoded = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        encoded.append(low | 0x80 if number else low)
        if not number:
            return bytes(encoded)


@contextmanager
def _staged_wit(project: Project) -> Iterator[Path]:
    """A copy of the plugin's WIT with the packages that the SDK brings, but for those that the plugin
    has itself."""
    project.wit_files()
    with tempfile.TemporaryDirectory() as scratch:
        staged = Path(scratch) / "wit"
        shutil.copytree(project.wit, staged)
        there = {package for text in project.wit_texts() if (package := _package(text))}
        (staged / "deps").mkdir(exist_ok=True)
        for file in sorted(_SDK_WIT.glob("*.wit")):
            if _package(file.read_text()) not in there:
                shutil.copy(file, staged / "deps" / file.name)
        yield staged


def _package(wit: str) -> str | None:
    """The package that a WIT file belongs to, without its version."""
    found = re.search(r"^\s*package\s+([\w-]+:[\w-]+)", wit, re.MULTILINE)
    return found[1] if found else None


def _componentize_py(arguments: list[str], project: Project) -> None:
    program = _program()
    run = subprocess.run(
        [program, *arguments],
        cwd=project.folder,
        capture_output=True,
        text=True,
        # Hashes of text do not differ from build to build, as far as it is up to us.
        env={**os.environ, "RUST_BACKTRACE": "0", "PYTHONHASHSEED": "0"},
    )
    if run.returncode != 0:
        raise BuildError(f"componentize-py failed for {project.name}:\n{_told(run.stderr or run.stdout)}")


def _program() -> str:
    beside = Path(sysconfig.get_path("scripts")) / f"componentize-py{sysconfig.get_config_var('EXE') or ''}"
    found = str(beside) if beside.is_file() else shutil.which("componentize-py")
    if found is None:
        raise BuildError(
            f"componentize-py is not installed; install it with `{Path(sys.executable).name} -m pip install "
            f"componentize-py=={COMPONENTIZE_PY}`"
        )
    return found


def _told(output: str) -> str:
    """What went wrong, without the frames of the tool itself."""
    lines = output.splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith("AssertionError: ")), None)
    if start is not None:
        lines = [lines[start].removeprefix("AssertionError: "), *lines[start + 1 :]]
    end = next((at for at, line in enumerate(lines) if line.startswith("Stack backtrace:")), len(lines))
    return "\n".join(line for line in lines[:end]).strip()


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m trunkline_sdk.build", description="Makes a plugin's component.")
    parser.add_argument("folder", nargs="?", default=".", type=Path, help="the folder of plugin.toml [.]")
    parser.add_argument("--world", default=WORLD, help=f"the world to build [{WORLD}]")
    parser.add_argument("--module", help="the module with its classes [the plugin's name]")
    parser.add_argument("--output", type=Path, help="where to put it [dist/NAME.wasm, or plugin.toml's]")
    parser.add_argument("--bindings", action="store_true", help="only write .bindings, for editors and type checkers")
    asked = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        project = Project.read(asked.folder)
        if asked.bindings:
            generate_bindings(project, project.folder / ".bindings", world=asked.world)
            print(project.folder / ".bindings")
            return 0
        made = build(project, world=asked.world, module=asked.module, output=asked.output)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    size = made.stat().st_size / 1_000_000
    print(f"{made}: {size:.1f} MB in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The plan of the project: which way imports point, how long files and functions are, which versions."""

from __future__ import annotations

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "diffusion").rglob("*.py"))
}
# A room may import from itself and from these; "method" is diffusion/ itself.
BELOW = {"method": set(), "train": {"method"}, "evaluate": {"train", "method"}, "page": {"train", "method"}}

SOURCES = [
    *(
        ROOT / folder / path
        for folder in ("diffusion", "tests", "assets")
        for path in (ROOT / folder).rglob("*.py")
    ),
    ROOT / "app.py",
]
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 60


def room(module: str) -> str:
    """The sub-package of diffusion that a module lies in, or "method"."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in BELOW else "method"


def imported(module: str) -> set[str]:
    """Absolute names of all that a module imports, wherever in it: `from a import b` gives a.b if that is a
    module, else a."""
    path = MODULES[module]
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names |= {f"{base}.{a.name}" if f"{base}.{a.name}" in MODULES else base for a in node.names}
    return names


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module) -> None:
    here = room(module)
    for name in imported(module):
        if name.split(".")[0] == "diffusion":
            assert room(name) in {here} | BELOW[here], f"{module} imports {name}"
        elif name.split(".")[0].startswith("gradio"):
            assert here == "page", f"{module} imports {name}"


def test_every_folder_is_a_known_room() -> None:
    folders = {path.parent.relative_to(ROOT / "diffusion").parts for path in MODULES.values()}
    assert {parts[0] for parts in folders if parts} <= BELOW.keys()


def test_imports_have_no_circle() -> None:
    graph = {module: imported(module) & MODULES.keys() - {module} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def too_long() -> set[str]:
    """ "path" of each file and "path function" of each function that is longer than it may be."""
    found = set()
    for path in SOURCES:
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        if len(text.splitlines()) > MOST_LINES:
            found.add(name)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.end_lineno - node.lineno >= MOST_LINES_OF_A_FUNCTION:
                    found.add(f"{name} {node.name}")
    return found


# What is longer: tables of points. This list only gets shorter.
STILL_LONG = {"assets/draw_examples.py"}


def test_files_and_functions_are_short() -> None:
    found = too_long()
    assert found <= STILL_LONG, f"cut up: {sorted(found - STILL_LONG)}"
    assert found >= STILL_LONG, f"short enough, take out of STILL_LONG: {sorted(STILL_LONG - found)}"


def requirements(path: Path) -> set[str]:
    """The lines of a requirements file, those of the files that it includes among them."""
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    own = {line for line in lines if line and not line.startswith("-r ")}
    return own.union(*(requirements(path.parent / line[3:]) for line in lines if line.startswith("-r ")))


def test_versions_agree() -> None:
    """requirements.txt, for a Space, and tests/requirements.txt say what pyproject.toml says."""
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def needs(*names: str) -> set[str]:
        lines = [*project["dependencies"], *(line for name in names for line in extras[name])]
        return {line for line in lines if not line.startswith(project["name"])}

    assert requirements(ROOT / "requirements.txt") == needs("page", "train")
    assert requirements(ROOT / "tests" / "requirements.txt") == needs(*extras)


def test_the_changelog_knows_the_version() -> None:
    import diffusion

    changes = (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([\d.]+)", changes, re.MULTILINE)[0] == diffusion.__version__

"""The index from papers to code to tests names what there is."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "diffusion" / "EQUATIONS.md"
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "](../tests/" in line]


def names_in(path: Path) -> set[str]:
    """The functions, methods and classes of a file."""
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)}


def test_there_are_rows():
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS)
def test_what_a_row_names_is_there(row):
    links = re.findall(r"\[(\w+)\]\(([\w./]+\.py)\)", row)
    assert len(links) == 2 and row.count("|") == 5
    for name, file in links:
        assert name in names_in(PAGE.parent / file), f"{file} has no {name}"
    assert links[1][0].startswith("test_")

"""The pages: word for word what was published, from the numbers that were."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from diffusion.errors import DoodleError
from diffusion.evaluate.ablation_tables import spread, t_95
from diffusion.evaluate.report import MARK, check_packages, render, write_ablations, write_evaluation
from diffusion.evaluate.tables import number, percent, table, with_error

PUBLISHED = Path(__file__).parents[2] / "checkpoints"


def test_the_published_evaluation(tmp_path):
    result = json.loads((PUBLISHED / "evaluation.json").read_text())
    write_evaluation(result, tmp_path)
    assert (tmp_path / "EVALUATION.md").read_text() == (PUBLISHED / "EVALUATION.md").read_text()


def test_faithfulness_is_drawn(tmp_path):
    result = json.loads(Path(__file__).with_name("evaluation-0.3.json").read_text())
    write_evaluation(result, tmp_path)
    assert "](faithfulness.png)" in (tmp_path / "EVALUATION.md").read_text()
    assert Image.open(tmp_path / "faithfulness.png").size == (1120, 420)


def test_the_published_ablations(tmp_path):
    for name in ("ABLATIONS.md", "ablations-training.json", "ablations-sampling.json"):
        shutil.copy(PUBLISHED / name, tmp_path)
    write_ablations(tmp_path)
    assert (tmp_path / "ABLATIONS.md").read_text() == (PUBLISHED / "ABLATIONS.md").read_text()
    (tmp_path / "ABLATIONS.md").unlink()
    write_ablations(tmp_path)
    assert (tmp_path / "ABLATIONS.md").read_text().startswith(f"# Ablations\n\n{MARK}\n\n## Training\n")


def test_parts_that_were_not_run_are_not_on_the_page():
    result = json.loads((PUBLISHED / "evaluation.json").read_text())
    kept = {name: result[name] for name in ("checkpoint", "judge", "settings", "targets", "seconds", "loss")}
    page = render("evaluation.md", **kept)
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## Targets",
        "## Loss by noise level",
    ]
    assert "\n\n\n" not in page and page.endswith(".\n")


def test_cells():
    assert table(["", "a"], [("b", 1)]) == "|  | a |\n| --- | --- |\n| b | 1 |"
    assert (percent(0.126), number(0.126, 2), percent(None), number(None)) == ("13 %", "0.13", "-", "-")
    assert with_error({"value": 0.5, "error": 0.1}) == "0.500 ± 0.100"
    assert with_error({"value": 0.5, "error": None}) == "0.500" and with_error(None) == "-"


def test_a_missing_package_is_named_before_anything_is_read(monkeypatch):
    check_packages()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DoodleError, match="pip install matplotlib"):
        check_packages()


def test_one_more_value_lies_within_reach_95_times_in_100():
    values = torch.randn(20_000, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inside = 0
    for row in values[:4000].tolist():
        middle, s, reach = spread(row[:4])
        inside += abs(row[4] - middle) <= reach
    assert 0.94 < inside / 4000 < 0.96
    assert spread([1.0, 3.0])[:2] == (2.0, pytest.approx(2**0.5))
    assert t_95(2) == pytest.approx(12.706, abs=0.001) and t_95(10) == pytest.approx(2.262, abs=0.001)

"""Whole ablations: numbers and a page that keeps what is written by hand, after each part."""

import json
from dataclasses import replace

import pytest

from diffusion.evaluate import ablate_sampling, ablate_training
from diffusion.evaluate.ablate import main
from diffusion.evaluate.ablate_training import VARIANTS
from diffusion.evaluate.report import MARK, write_ablations
from fruit import TINY, ablate_command, fruit_folder


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return fruit_folder(tmp_path_factory.mktemp("fruit"))


@pytest.mark.slow
def test_a_whole_ablation(fruit, tmp_path, monkeypatch):
    monkeypatch.setattr(ablate_training, "BASE", replace(TINY, steps=1))
    for name, fewer in {"STEPS": (5, 20), "SCALES": (1.0, 2.0, 5.0), "DECAYS": (0.0,)}.items():
        monkeypatch.setattr(ablate_training if name == "DECAYS" else ablate_sampling, name, fewer)
    out = tmp_path / "out"
    training = ablate_command(fruit, out, "training", "--samples", "16", "--seeds", "2")
    assert main(training) == 0
    page, numbers = (out / "ABLATIONS.md").read_text(), (out / "ablations-training.json").read_text()
    result = json.loads(numbers)
    assert [run["name"] for run in result["runs"]] == ["base", "base", *VARIANTS]
    assert len(result["averages"]) == 2
    assert {run["samples"] for run in result["runs"]} == {16}
    for name in VARIANTS:
        assert page.count(f"| {name} |") == 3  # both guidances and the errors
    assert "diffusion.evaluate.ablate training --data data --judge judge.safetensors --out out" in page

    # What is written by hand above the mark stays, and what was trained is not trained again.
    (out / "ABLATIONS.md").write_text(page.replace("# Ablations\n", "# Ablations\n\nAll is a tie.\n"))
    monkeypatch.setattr(ablate_training, "train", lambda *_: pytest.fail("trained again"))
    assert main(training) == 0
    assert json.loads((out / "ablations-training.json").read_text())["runs"] == result["runs"]

    assert main(ablate_command(fruit, out, "sampling", "--drawings", "8")) == 0
    page = (out / "ABLATIONS.md").read_text()
    assert page.startswith("# Ablations\n\nAll is a tie.\n") and page.count(MARK) == 1
    assert "## Training" in page and "| guidance by style 5 |" in page and "| steps 5 |" in page
    sampled = (out / "ablations-sampling.json").read_text()
    for curve in json.loads(sampled)["inputs"].values():
        assert 0.1 <= curve["best"] <= curve["lowest"] <= 0.8
        assert curve["strengths"]["0"]["l2"]["value"] == 0 and curve["strengths"]["1"]["calls"] == 40
    for text in (page, numbers, sampled):  # reports travel
        assert str(tmp_path) not in text and str(fruit.parent) not in text
        assert "NaN" not in text and "Infinity" not in text

    assert main(["page", "--out", str(out)]) == 0
    assert (out / "ABLATIONS.md").read_text() == page


@pytest.mark.slow
def test_a_run_that_was_stopped_early_leaves_a_page(fruit, tmp_path, monkeypatch):
    monkeypatch.setattr(ablate_training, "BASE", replace(TINY, steps=1))
    monkeypatch.setattr(ablate_training, "VARIANTS", {})
    assert main(ablate_command(fruit, tmp_path, "training", "--samples", "8", "--seeds", "2")) == 0
    result = json.loads((tmp_path / "ablations-training.json").read_text())
    for runs_done in (1, 2):
        part = result | {"runs": result["runs"][:runs_done], "averages": result["averages"][: 3 * runs_done]}
        (tmp_path / "ablations-training.json").write_text(json.dumps(part))
        write_ablations(tmp_path)
        assert ("Not far enough" in (tmp_path / "ABLATIONS.md").read_text()) == (runs_done == 1)

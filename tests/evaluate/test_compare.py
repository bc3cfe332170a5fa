"""Two checkpoints on the same drawings, and one in many ways."""

import json

import pytest

from diffusion import save_checkpoint
from diffusion.errors import DoodleError
from diffusion.evaluate import compare
from diffusion.evaluate.__main__ import main
from diffusion.evaluate.calls import Way, interval
from diffusion.evaluate.calls import main as calls_main
from diffusion.evaluate.compare import differences
from diffusion.evaluate.sweep import main as sweep_main
from fruit import NAMES, drawn_fruit, evaluate_command, vague


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return drawn_fruit(tmp_path_factory.mktemp("fruit"))


def test_differences_are_paired():
    a = {
        "x": {
            "names": ["p", "q", "r"],
            "of": ["p", "q", "r"],
            "figures": {"subject": [0, 0, 1], "s": [None] * 3},
        }
    }
    b = {
        "x": {
            "names": ["r", "q", "z"],
            "of": ["r", "q", "z"],
            "figures": {"subject": [1, 1, 0], "s": [1] * 3},
        }
    }
    found = differences(a, b)["x"]
    assert found["pictures"] == 2 and list(found["figures"]) == ["subject"]
    figure = found["figures"]["subject"]
    assert (figure["a"]["value"], figure["b"]["value"]) == (0.5, 1.0)
    assert figure["difference"] == {"value": 0.5, "error": pytest.approx(0.5)}
    assert differences(a, {"y": b["x"]}) == {}
    assert differences(a, a)["x"]["figures"]["subject"]["difference"] == {"value": 0.0, "error": 0.0}


@pytest.mark.slow
def test_two_checkpoints_of_different_names(fruit, tmp_path, capsys):
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    save_checkpoint(tmp_path / "old.safetensors", vague())
    more = ["--drawings", str(fruit / "hands"), "--cells", "4", "--strengths", "0.6"]
    more += ["--names", str(tmp_path / "names.json")]
    words = evaluate_command(fruit, tmp_path / "both", *more)
    assert main(["--compare", words[0], str(tmp_path / "old.safetensors"), *words[1:]]) == 0
    out = capsys.readouterr().out
    result = json.loads((tmp_path / "both" / "comparison.json").read_text())
    assert (result["a"], result["b"]) == ("checkpoint.safetensors", "old.safetensors")
    assert result["each"]["hands, all"]["pictures"] == 2 and "drawings, outline, 0.6" in result["each"]
    assert "| hands, all | 2 |" in out
    # The same from what both evaluations left, which needs neither judge nor data.
    folders = [str(tmp_path / "both" / which) for which in "ab"]
    assert main(["--compare", *folders, "--out", str(tmp_path / "again")]) == 0
    assert json.loads((tmp_path / "again" / "comparison.json").read_text()) == result
    page = (tmp_path / "both" / "b" / "EVALUATION.md").read_text()
    assert "## Drawings by hand" in page and "are left out" in page and "## Seeds" not in page
    assert "(drawings-outline.jpg)" in page and (tmp_path / "both" / "b" / "drawings-outline.jpg").exists()


@pytest.mark.slow
def test_a_sweep(fruit, tmp_path, capsys):
    words = [str(fruit / "checkpoint.safetensors"), "--data", str(fruit / "data"), "--hold-out", "0.4"]
    words += ["--judge", str(fruit / "judge.safetensors"), "--out", str(tmp_path), "--cells", "3"]
    words += ["--drawings", str(fruit / "hands"), "--strengths", "0.6", "1", "--guidances", "1", "2"]
    assert sweep_main([*words, "--step-counts", "2"]) == 0
    rows = json.loads((tmp_path / "sweep.json").read_text())["rows"]
    assert [(row["strength"], row["guidance"], row["steps"]) for row in rows] == [
        (0.6, 1, 2), (0.6, 2, 2), (1, 1, 2), (1, 2, 2),
    ]  # fmt: skip
    assert list(rows[0]["inputs"]) == ["outline", "filled", "bad picture", "by hand"]
    text = (tmp_path / "SWEEP.md").read_text()
    assert "| strength | guidance | steps | outline | filled | bad picture | by hand |" in text
    assert "| 0.6 | 1 | 2 |" in capsys.readouterr().out and "**" in text


def test_evaluations_that_cannot_be_compared(tmp_path, capsys):
    for which, seed in (("a", 0), ("b", 1)):
        (tmp_path / which).mkdir()
        about = {"checkpoint": which, "judge": {}, "settings": {"seed": seed}, "each": {}}
        (tmp_path / which / "pictures.json").write_text(json.dumps(about))
    folders = [str(tmp_path / which) for which in "ab"]
    for words, message in {
        (*folders,): "have different seeds: they cannot be compared.",
        (folders[0], folders[0]): "have no picture in common.",
        (folders[0], "x.safetensors"): "To evaluate x.safetensors, --data and --judge are needed.",
        (folders[0], str(tmp_path)): "Was a part about drawings run?",
    }.items():
        assert main(["--compare", *words, "--out", str(tmp_path / "out")]) == 2
        assert message in capsys.readouterr().err
    (tmp_path / "a" / "pictures.json").write_text("{")
    with pytest.raises(DoodleError, match="is damaged"):
        compare.read_pictures(tmp_path / "a")


def test_ways_have_names():
    assert str(Way("dpm++", 8)) == "dpm++, 8" and str(Way(low=0.2)) == "ddim, 20, 0.2-1"


@pytest.mark.parametrize("text", ["", "0.2", "0.8-0.2", "0-2", "a-b", "0.1-0.2-0.3"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(DoodleError, match="no interval"):
        interval(text)


@pytest.mark.slow
def test_cheaper_ways(fruit, tmp_path, capsys):
    words = [str(fruit / "checkpoint.safetensors"), "--data", str(fruit / "data"), "--hold-out", "0.4"]
    words += ["--judge", str(fruit / "judge.safetensors"), "--out", str(tmp_path), "--cells", "3"]
    words += ["--drawings", str(fruit / "hands"), "--solvers", "ddim", "--step-counts", "50", "20"]
    assert calls_main([*words, "--intervals", "0-1", "0.3-1", "--strengths", "0.6"]) == 0
    outlines = json.loads((tmp_path / "calls.json").read_text())["inputs"]["outline, 0.6"]
    assert list(outlines) == [f"ddim, {way} calls)" for way in ("50 (60", "50, 0.3-1 (45", "20, 0.3-1 (18")]
    apart = outlines["ddim, 50 (60 calls)"]["figures"]["apart"]
    assert 0 < apart["b"]["value"] < apart["a"]["value"]  # nearer to the finest run than the usual way
    assert "## outline, 0.6" in (tmp_path / "CALLS.md").read_text() and "60 calls" in capsys.readouterr().out

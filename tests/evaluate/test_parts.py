"""The parts find what is planted; a whole evaluation leaves numbers, a page and pictures."""

import json

import pytest
from PIL import Image

from diffusion import save_checkpoint
from diffusion.classifier import save_classifier
from diffusion.evaluate import inputs
from diffusion.evaluate.__main__ import main
from diffusion.evaluate.parts import PARTS, realism, restoration
from diffusion.evaluate.study import as_x0
from diffusion.evaluate.targets import targets
from diffusion.evaluate.verdicts import finite
from diffusion.train.data import load_pictures
from fruit import classifier_for, draw, evaluate_command, fruit_folder, model_for, study_of


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return fruit_folder(tmp_path_factory.mktemp("fruit"))


@pytest.fixture
def study(fruit):
    return study_of(load_pictures([fruit / "data"], 32, 0.4))


def test_realism_of_the_real_pictures_themselves(study):
    """Were the generated pictures the held-out ones again, the distances would say so."""
    study.__dict__["generated"] = study.real
    result = realism(study)
    assert result["kid"]["generated"]["value"] <= 0  # the same points: the diagonal is what is left out
    assert result["frechet"]["generated"] is None  # 12 pictures, 32 features
    assert list(result["each"]) == ["flat", "shaded"] and result["between"]["nearest"] is not None


def test_perfect_restoration_is_measured_as_such(study, monkeypatch):
    blank = Image.new("RGB", (16, 16), "black")
    monkeypatch.setattr(inputs, "denoised", lambda image, strength: image if strength == 10 else blank)
    truth = as_x0(study.brought_framed, 16)
    study.paint = lambda x0, labels, strength, *rest, **_: truth if strength == 0.3 else x0
    result = restoration(study)
    assert result["kinds"]["4 pixels"]["0.3"]["ssim"] == pytest.approx(1)
    for rows in result["kinds"].values():
        assert rows["input"] == rows["0.1"] and rows["input"]["ssim"] < 1
        assert rows["0.3"]["psnr"] == 60  # not infinity
        assert rows["denoiser"] == rows["input"]  # the best of its strengths, not the worst
    assert [t["met"] for t in targets({"restoration": result})] == [True]


def test_targets_of_good_and_bad_numbers():
    def of(ratio):
        return targets({"labels": {"ratio": {"subject": ratio, "style": ratio, "subject in 5": ratio}}})

    assert [t["met"] for t in of(0.95)] == [True, True]
    assert [t["met"] for t in of(0.85)] == [True, False]
    assert of(None) == [] and targets({}) == []


def test_json_is_kept_free_of_nan():
    assert finite({"a": [float("nan"), 1.0, {"b": (float("inf"), "x")}]}) == {
        "a": [None, 1.0, {"b": [None, "x"]}]
    }


# ------------------------------------------------------------------ whole runs


@pytest.mark.slow
def test_a_whole_evaluation(fruit, tmp_path, capsys):
    assert main(evaluate_command(fruit, tmp_path / "a")) == 0
    assert "label combinations" in (tmp_path / "a" / "EVALUATION.md").read_text()
    text = (tmp_path / "a" / "evaluation.json").read_text()
    assert "NaN" not in text and "Infinity" not in text  # Python would read them, others would not
    result = json.loads(text)
    assert set(PARTS) < set(result) and set(result["seconds"]) == set(PARTS)
    assert set(result["labels"]["ratio"]) == {"subject", "style", "subject in 5"}
    assert len(result["faithfulness"]["kinds"]["strokes"]["strengths"]) == 11
    assert result["faithfulness"]["kinds"]["strokes"]["strengths"]["0"]["l2"] == 0
    assert len(result["loss"]["v"]) == 10 and min(result["loss"]["v"]) > 0
    assert result["targets"] and str(fruit.parent) not in json.dumps(result)  # reports travel
    report = (tmp_path / "a" / "EVALUATION.md").read_text()
    for picture in ("faithfulness.png", "nearest.png", "sheet.jpg"):
        assert f"({picture})" in report
        assert Image.open(tmp_path / "a" / picture).width > 50
    assert "do not compare with published" in report
    assert "subject accuracy" in capsys.readouterr().out


@pytest.mark.slow
def test_same_seed_same_numbers(fruit, tmp_path):
    parts = ["--parts", "labels", "realism", "loss"]
    results = []
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert main(evaluate_command(fruit, tmp_path / name, *parts, "--seed", seed)) == 0
        result = json.loads((tmp_path / name / "evaluation.json").read_text())
        results.append([result[part] for part in ("labels", "realism", "loss")])
    assert results[0] == results[1] != results[2]


@pytest.mark.slow
def test_one_label_kind_is_enough(tmp_path):
    """As with CIFAR-10: <class>/<picture>."""
    pictures = load_pictures([draw(tmp_path / "data", styles=("",))], 32)
    save_checkpoint(tmp_path / "checkpoint.safetensors", model_for(pictures))
    save_classifier(tmp_path / "judge.safetensors", classifier_for(pictures))
    assert main(evaluate_command(tmp_path, tmp_path / "out")) == 0
    result = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert set(result["labels"]["ratio"]) == {"class", "class in 5"} and result["realism"]["by"] == "class"

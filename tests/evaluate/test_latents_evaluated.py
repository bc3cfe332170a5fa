"""What draws latents is measured in pixels: through its autoencoder, and down to the judge's size."""

import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from conftest import tiny_checkpoint
from diffusion import Sampling, edit, load_checkpoint, save_checkpoint
from diffusion.autoencoder import Autoencoder, AutoencoderConfig, Latents, save_autoencoder
from diffusion.classifier import Classifier, ClassifierError
from diffusion.condition import Condition
from diffusion.evaluate import bench, calls, few_calls, sweep
from diffusion.evaluate.__main__ import main
from diffusion.evaluate.drawings import cells, crude
from diffusion.evaluate.figures import painted
from diffusion.evaluate.fit import check_size
from diffusion.evaluate.parts import OF_PIXELS, PARTS
from diffusion.evaluate.study import Study
from diffusion.train.data import load_pictures
from fruit import classifier_for, drawn_fruit, evaluate_command

JUDGED, DRAWN = 16, 32


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    """A `drawn_fruit` whose checkpoint draws 4 x 8 x 8 latents of 32 pixels; the judge looks at 16."""
    folder = drawn_fruit(tmp_path_factory.mktemp("fruit"))
    pictures = load_pictures([folder / "data"], 2 * DRAWN)
    torch.manual_seed(0)
    network = Autoencoder(AutoencoderConfig(image_size=DRAWN, patch_size=2, channels=(8, 16)))
    codec = Latents(network, [0.1] * 4, [0.5] * 4)
    save_autoencoder(folder / "autoencoder/autoencoder-8.safetensors", codec, torch.float32)
    shape = {"image_channels": 4, "image_size": 8, "drawing": True}
    latent = tiny_checkpoint(pictures.label_names, pictures.train().combinations(), **shape)
    save_checkpoint(folder / "checkpoint.safetensors", latent)
    return folder


@pytest.fixture
def study(fruit):
    pictures = load_pictures([fruit / "data"], 2 * DRAWN, 0.4)
    checkpoint = load_checkpoint(fruit / "checkpoint.safetensors")
    return Study(checkpoint, classifier_for(pictures), pictures, count=12, steps=2, precision="fp32", cells=4)


@pytest.fixture
def looked_at(monkeypatch):
    """The sizes of all that a judge looks at from here on."""
    sizes = set()
    for name in ("features", "logits"):
        original = getattr(Classifier, name)

        def spied(self, x, *args, original=original):
            sizes.add(tuple(x.shape[1:]))
            return original(self, x, *args)

        monkeypatch.setattr(Classifier, name, spied)
    return sizes


def test_results_are_decoded_edits_of_encoded_drawings_averaged_down(study):
    drawn, _ = crude(study, cells(study), "outline")
    assert drawn.x0.shape[1:] == (3, DRAWN, DRAWN)
    assert drawn.drawn.shape == drawn.truth.shape == (len(drawn), 3, JUDGED, JUDGED)
    torch.testing.assert_close(drawn.drawn, F.avg_pool2d(drawn.x0, 2))
    x0 = painted(study, drawn, 0.6, "test")
    codec, told = study.checkpoint.codec, Condition.of(study.checkpoint, drawn.told)
    generators = [torch.Generator().manual_seed(seed) for seed in drawn.seeds]
    *_, last = edit(study.checkpoint, codec.encode(drawn.x0), told, Sampling(0.6, 2), generators)
    torch.testing.assert_close(x0, F.avg_pool2d(codec.decode(last.x), 2))
    torch.testing.assert_close(painted(study, drawn, 0.0, "test"), drawn.drawn)


def test_a_whole_evaluation_shows_the_judge_what_it_knows(fruit, tmp_path, looked_at):
    words = ["--drawings", str(fruit / "hands"), "--cells", "4", "--count", "6", "--strengths", "0.6"]
    words += ["--parts", *(part for part in PARTS if part not in ("faithfulness", "seeds"))]
    assert main(evaluate_command(fruit, tmp_path, *words)) == 0
    assert looked_at == {(3, JUDGED, JUDGED)}
    result = json.loads((tmp_path / "evaluation.json").read_text())
    assert not set(OF_PIXELS) & set(result) and {"labels", "restoration", "memory", "hands"} < set(result)
    assert result["latents"] == {"decoded": DRAWN, "judged": JUDGED, "left_out": list(OF_PIXELS)}
    assert "8 pixels" in result["restoration"]["kinds"], "a quarter of what the model is given"
    assert (
        "Left out, for they are measured of pixels: loss, bound." in (tmp_path / "EVALUATION.md").read_text()
    )


def test_strengths_are_measured_against_the_drawings_as_the_judge_sees_them(study, looked_at):
    result = PARTS["faithfulness"](study)
    assert looked_at == {(3, JUDGED, JUDGED)}
    assert all(rows["strengths"]["0"]["l2"] == 0 for rows in result["kinds"].values())


def test_what_it_costs_is_timed(fruit, tmp_path):
    words = "--repeats 1 --batches 2 --parts network pictures --out".split()
    assert bench.main([str(fruit / "checkpoint.safetensors"), *words, str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "bench.json").read_text())["parts"]
    assert all(row["value"] > 0 for part in ("network", "pictures") for row in rows[part])


def test_what_cannot_be_measured_of_latents_is_said(fruit, tmp_path, capsys):
    assert main(evaluate_command(fruit, tmp_path, "--parts", *OF_PIXELS)) == 2
    assert "latents, of which loss and bound cannot" in capsys.readouterr().err


def test_the_judge_s_size_must_go_into_the_pictures_of_latents(study):
    check_size(study.checkpoint, study.classifier)
    with pytest.raises(ClassifierError, match="16 pixels"):
        check_size(replace(study.checkpoint, codec=Odd()), study.classifier)


class Odd:
    """A codec of which 8 places are 24 pixels."""

    factor, in_pixels = 3, False


def test_few_calls_are_compared_in_pixels(fruit, tmp_path, monkeypatch, looked_at):
    monkeypatch.setattr(few_calls, "FINE", 4)
    words = ["--data", str(fruit / "data"), "--judge", str(fruit / "judge.safetensors"), "--hold-out", "0.4"]
    words += ["--out", str(tmp_path), "--calls", "1", "4", "--count", "4", "--precision", "fp32"]
    assert few_calls.main([str(fruit / "checkpoint.safetensors"), *words]) == 0
    assert looked_at == {(3, JUDGED, JUDGED)} and "KID" in (tmp_path / "FEW_CALLS.md").read_text()


def test_sweeps_calls_and_comparisons_see_the_same(fruit, tmp_path, looked_at):
    file, *words = evaluate_command(fruit, tmp_path)
    words = [word for word in words if word not in ("--steps", "--count", "2", "6")]
    words += ["--drawings", str(fruit / "hands"), "--cells", "2", "--strengths", "0.6"]
    assert sweep.main([file, *words, "--guidances", "1", "--step-counts", "2"]) == 0
    assert calls.main([file, *words, "--solvers", "dpm++", "--step-counts", "2"]) == 0
    assert main(["--compare", file, file, *words, "--parts", "drawings", "--steps", "2"]) == 0
    assert looked_at == {(3, JUDGED, JUDGED)}
    found = json.loads((tmp_path / "comparison.json").read_text())["each"]
    assert found["drawings, outline, 0.6"]["pictures"] == 2

"""The bound as an evaluation measures it: every timestep counts once, and what is planted is found."""

import json

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion.evaluate.__main__ import main
from diffusion.evaluate.bound import bound, spread_over, strata
from diffusion.prediction import Seen
from diffusion.train.data import load_pictures
from fruit import evaluate_command, fruit_folder, study_of


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return fruit_folder(tmp_path_factory.mktemp("fruit"))


@pytest.fixture
def study(fruit):
    return study_of(load_pictures([fruit / "data"], 32, 0.4), count=48)


@pytest.mark.parametrize("total", [2, 3, 8, 100, 1000])
def test_the_stretches_hold_every_timestep_once(total):
    stretches = strata(total)
    assert [t for first, last in stretches for t in range(first, last + 1)] == list(range(total))
    assert stretches[:2] == [(0, 0), (1, 1)]


def test_timesteps_of_a_stretch_are_all_alike():
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([spread_over(4, 7, 10, generator) for _ in range(2000)])
    counts = torch.bincount(drawn.flatten(), minlength=9)
    assert counts[:4].sum() == 0 and counts[8:].sum() == 0
    assert ((counts[4:8] / drawn.numel() - 0.25).abs() < 0.01).all()
    each = torch.bincount(drawn[:, 0], minlength=8)[4:] / len(drawn)
    assert ((each - 0.25).abs() < 0.04).all()


def test_the_total_is_the_sum_of_its_terms(study):
    found = bound(study)
    assert found["pictures"] >= 8 and found["t"][-1] == [512, 999]
    steps = [last - first + 1 for first, last in found["t"]]
    assert found["sums"] == pytest.approx([n * bits for n, bits in zip(steps, found["bits"])])
    assert found["total"]["value"] == pytest.approx(found["prior"] + sum(found["sums"]))
    assert min(found["bits"]) >= 0 and found["prior"] >= 0 and found["total"]["error"] > 0


def test_a_network_that_knows_every_picture_pays_for_the_last_step_alone(study):
    truth = (study.as_trained(study.held_out) * 127.5 + 127.5).round() / 127.5 - 1
    study.see = lambda x_t, t, labels, clip: Seen(truth, x_t)
    knowing = bound(study)
    assert knowing["pictures"] == len(truth)
    assert (
        max(knowing["bits"][1:]) < 1e-6 < knowing["bits"][0] == pytest.approx(knowing["total"]["value"], 1e-3)
    )
    study.see = lambda x_t, t, labels, clip: Seen(truth + 0.1, x_t)
    assert min(bound(study)["bits"]) > 1e-6


def test_a_learnt_variance_is_the_one_that_counts(study):
    fixed = bound(study)
    study.checkpoint = tiny_checkpoint(study.checkpoint.label_names, [], learned_variance=True)
    learnt = bound(study)
    with torch.no_grad():  # now it says the posterior's
        study.checkpoint.model.output.weight[12:] = 0
        study.checkpoint.model.output.bias[12:] = -1
    small = bound(study)
    assert learnt["learned"] and not fixed["learned"]
    assert learnt["total"]["value"] < small["total"]["value"], "where x0 is seen badly, more noise costs less"
    assert learnt["prior"] == small["prior"]


def test_the_page_shows_the_curve(fruit, tmp_path):
    assert main(evaluate_command(fruit, tmp_path, "--parts", "bound")) == 0
    result = json.loads((tmp_path / "evaluation.json").read_text())["bound"]
    page = (tmp_path / "EVALUATION.md").read_text()
    assert f"{result['total']['value']:.3f} ± " in page and "| 512-999 |" in page and "all 1000 steps" in page
    assert "with the posterior's variance" in page

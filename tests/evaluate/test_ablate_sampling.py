"""Ways of sampling that change one thing, and the rule that picks a strength."""

import math
from dataclasses import replace

import pytest
import torch

from diffusion.evaluate.ablate_sampling import best_strength, variations
from diffusion.evaluate.verdicts import difference
from diffusion.guidance import ByKind
from diffusion.train.data import load_pictures
from fruit import draw, study_of


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return load_pictures([draw(tmp_path_factory.mktemp("fruit"))], 32, 0.4)


@pytest.fixture
def study(pictures):
    return study_of(pictures)


@pytest.mark.slow
def test_variations_change_one_thing_and_count_their_calls(study):
    """The model is asked for as many pictures as is said."""
    study = replace(study, steps=20)
    asked = 0

    def count(_, arguments):
        nonlocal asked
        asked += len(arguments[0])

    study.checkpoint.model.register_forward_pre_hook(count)
    usual = study.generated
    assert asked == 40 * len(usual)
    found = {}
    for what, value, varied, calls in variations(study):
        asked = 0
        made = varied.generated
        assert asked == calls * len(made) and not torch.equal(made, usual), (what, value)
        found.setdefault(what, []).append(value)
    assert found["steps"] == ["5", "10", "50"] and found["eta"] == ["0.5", "1"]
    assert found["guidance"] == found["guidance by subject"] == found["guidance by style"]
    assert found["guidance"] == ["1", "3", "4", "5"]


def test_guidance_by_kind_with_the_usual_scales_draws_the_usual_pictures(study):
    torch.testing.assert_close(
        replace(study, guidance=ByKind((2.0, 2.0))).generated, study.generated, rtol=1e-3, atol=1e-3
    )


def test_a_difference_to_itself_is_nothing(study):
    a = study.classify(study.real, study.held_out.labels)
    b = study.classify(study.generated, study.held_out.labels)
    real, groups = b.features.flip(0), study.held_out.groups
    same, other = (difference(x, a, real, groups) for x in (a, b))
    assert same["kid"] == {"value": 0, "error": 0}
    assert all(row == {"value": 0, "error": 0} for row in same["accuracy"].values())
    assert other["kid"]["value"] != 0 and other["kid"]["error"] > 0


def test_the_rule_picks_the_smallest_strength_that_is_not_worse():
    kids = {0.2: 0.9, 0.4: 0.5, 0.6: 0.42, 0.8: 0.4, 0.9: 0.0}

    def less(error):
        return lambda a, b: (kids[a] - kids[b], error)

    assert best_strength(kids, less(0.01)) == 0.8  # 0.9 is beyond the limit
    assert best_strength(kids, less(0.03)) == 0.6
    assert best_strength(kids, less(0.2)) == 0.4
    assert best_strength(kids, less(math.nan)) == 0.8

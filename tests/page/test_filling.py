"""/fill: beside what stays, everything may be painted; and wrong numbers are one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

gr = pytest.importorskip("gradio")

from conftest import apple_drawing, half_mask, tiny_checkpoint
from diffusion.page.filling import Filling, filling_inputs

USUAL = {"subject": "apple", "style": "noto", "steps": 5}


@pytest.fixture(scope="module")
def fill():
    return Filling({"tiny": tiny_checkpoint(drawing=True)}).fill


@pytest.fixture
def apple(tmp_path) -> str:
    apple_drawing().save(tmp_path / "apple.png")
    return str(tmp_path / "apple.png")


def test_around_a_picture_is_painted_and_the_picture_stays(fill, apple):
    drawn = np.asarray(Image.open(apple).convert("RGB"))
    side = drawn.shape[0]
    made = np.asarray(fill(apple, **USUAL, left=0.5, bottom=0.25))
    assert made.shape == (side + side // 4, side + side // 2, 3)
    assert (made[:side, side // 2 :] == drawn).all()
    assert made[side:].std() > 5, "painted, not left white"
    again = np.asarray(fill(apple, **USUAL, left=0.5, bottom=0.25, resample=2))
    assert (again[:side, side // 2 :] == drawn).all() and (again != made).any()


def test_a_mask_keeps_its_half_and_resampling_changes_the_other(fill, apple, tmp_path):
    half_mask().save(tmp_path / "mask.png")
    kept = np.asarray(half_mask().convert("L")) < 128
    drawn = np.asarray(Image.open(apple).convert("RGB"))
    once, often = (
        np.asarray(fill(apple, **USUAL, keep=str(tmp_path / "mask.png"), resample=n)) for n in (1, 3)
    )
    for made in (once, often):
        assert (made[kept] == drawn[kept]).all()
    assert (once != often).any()


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"left": 3}, "Left must be a number from 0 to 2"),
        ({"resample": 0, "left": 1}, "Resample must be a number from 1 to 20"),
        ({"low_pass": "4"}, "Low-pass must be a number from 0 to 64"),
        ({"low_pass": 5}, "blocks of 5"),
        ({"resample": 2}, "Resampling is for"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(fill, apple, wrong, said):
    with pytest.raises(gr.Error, match=said):
        fill(apple, **USUAL, **wrong)


def test_its_inputs_are_those_that_no_other_endpoint_has():
    assert set(filling_inputs()) == {
        "strength", "left", "top", "right", "bottom", "resample", "jump", "low_pass"
    }  # fmt: skip

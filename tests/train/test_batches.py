"""Batches: pictures placed at random, with drawings of them, the same whenever they are made."""

import numpy as np
import pytest
import torch

from diffusion.train.batches import Batches, moved, random_place
from diffusion.train.data import PictureSet
from diffusion.train.sketches import SKETCHES


def blob(n=8, side=32) -> PictureSet:
    """A dark square in the middle of white; picture i has the label i."""
    pixels = torch.full((n, 3, side, side), 255, dtype=torch.uint8)
    pixels[:, :, side // 4 : -side // 4, side // 4 : -side // 4] = 0
    labels = torch.arange(n)[:, None]
    names = {"class": [str(i) for i in range(n)]}
    return PictureSet(pixels, labels, names, [str(i) for i in range(n)], torch.zeros(n, dtype=torch.bool))


def batches(pictures=None, size=16, **settings) -> Batches:
    pictures = pictures or blob()
    n = len(pictures)
    return Batches(pictures, torch.full((n,), 1 / n, dtype=torch.float64), size, **settings)


def same(a, b):
    return all(
        torch.equal(getattr(a, name), getattr(b, name)) for name in ("x0", "drawing", "sketched", "labels")
    )


def test_a_batch_depends_on_seed_and_step_alone():
    made = batches(batch_size=6, sketched=0.8, workers=3)
    stream = made.since(0)
    first = [next(stream) for _ in range(3)]
    stream.close()
    again = batches(batch_size=6, sketched=0.8, workers=1)
    assert same(first[2], again.at(2)) and same(first[0], next(again.since(0)))
    assert not same(first[0], first[1])
    assert not same(first[0], batches(batch_size=6, sketched=0.8, seed=1).at(0))


def test_drawings_come_in_their_share_and_are_crude_versions_of_their_pictures():
    made = batches(batch_size=400, sketched=0.75).at(0)
    assert 0.68 < float(made.sketched.float().mean()) < 0.82
    unequal = (made.x0 != made.drawing).flatten(1).any(1)
    assert (
        torch.equal(unequal, made.sketched & unequal) and float(unequal[made.sketched].float().mean()) > 0.95
    )
    assert made.x0.min() >= -1 and made.x0.max() <= 1 and made.drawing.min() >= -1 and made.drawing.max() <= 1
    assert made.x0.dtype == made.drawing.dtype == torch.float32


def test_pictures_are_drawn_by_their_weights():
    weights = torch.tensor([0.5, 0.5, 0, 0, 0, 0, 0, 0], dtype=torch.float64)
    labels = Batches(blob(), weights, 16, batch_size=300).at(0).labels[:, 0]
    assert set(labels.tolist()) == {0, 1} and 0.4 < float((labels == 0).float().mean()) < 0.6


def test_drawings_stand_where_their_pictures_stand():
    """A filled drawing of a square has its middle where the moved square has it."""
    made = batches(blob(side=128), 64, batch_size=1).of(
        np.arange(8), [(3, i) for i in range(8)], ["flat"] * 8
    )
    rows = torch.arange(64) + 0.5
    for x0, drawing in zip(made.x0, made.drawing):
        ink, drawn = (1 - x0).mean(0), (1 - drawing).mean(0)
        for axis in (0, 1):
            middles = [float((part.sum(axis) * rows).sum() / part.sum()) for part in (ink, drawn)]
            assert middles[0] == pytest.approx(middles[1], abs=3.0)


def test_white_stays_white_and_none_only_shrinks():
    white = blob(4)
    white.pixels[:] = 255
    assert (batches(white, batch_size=8).at(0).x0 == 1).all()
    whole = batches(batch_size=8, augment="none")
    made = whole.of(np.arange(8), [(0,)] * 8, [None] * 8)
    torch.testing.assert_close(made.x0, blob().x0(16))
    assert same(made, Batches.once(blob(), 16))


def test_pictures_move_shrink_and_turn_but_stay_on_the_page():
    ink = 1 - batches(blob(1), batch_size=200).at(0).x0.mean(1)  # (200, 16, 16)
    area = ink.sum((1, 2)) / 2
    original = (16 / 2) ** 2
    assert area.min() > 0.7**2 * original * 0.95 and area.max() < original * 1.05
    assert area.std() > 0.05 * original
    rows = torch.arange(16) + 0.5
    centre = (ink.sum(1) @ rows) / ink.sum((1, 2))
    assert centre.std() > 0.5 and (centre - 8).abs().max() < 4


@pytest.mark.parametrize("how", ["drawing", "flip"])
def test_half_are_mirrored(how):
    rng = np.random.default_rng(0)
    mirrored = [np.linalg.det(random_place(how, rng)[:, :2]) < 0 for _ in range(400)]
    assert 0.4 < np.mean(mirrored) < 0.6
    assert np.array_equal(random_place("none", rng), np.eye(2, 3))


def test_a_picture_moves_as_its_points_do():
    pixels = np.full((64, 64, 3), 255, np.uint8)
    pixels[10:14, 40:44] = 0
    for seed in range(5):
        place = random_place("drawing", np.random.default_rng(seed))
        ink = 255 - moved(pixels, place)[..., 0].astype(float)
        y, x = np.indices((64, 64)) + 0.5
        middle = np.array([(ink * x).sum(), (ink * y).sum()]) / ink.sum() / 64
        expected = place[:, :2] @ [42 / 64, 12 / 64] + place[:, 2]
        np.testing.assert_allclose(middle, expected, atol=0.01)


def test_unknown_ways_are_refused():
    with pytest.raises(ValueError, match="Unknown augmentation"):
        batches(batch_size=1, augment="spin")


def test_every_kind_of_drawing_is_made():
    for kind in SKETCHES:
        made = Batches.once(blob(2, side=128), 64, kind=kind)
        assert made.sketched.all() and not torch.equal(made.x0, made.drawing)

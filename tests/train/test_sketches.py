"""Crude drawings: what is traced in a picture, and what a hand makes of it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion.train.sketches import CANVAS, SKETCHES, sketch, spoil
from diffusion.train.tracing import MOST_MARKS, MOST_SHAPES, trace

STILL = np.eye(2, 3)


def face(side=128) -> np.ndarray:
    """An orange disc with two black eyes and a red mouth, on white."""
    pixels = np.full((side, side, 3), 255, np.uint8)
    cv2.circle(pixels, (64, 64), 50, (245, 140, 30), -1)
    for x in (45, 83):
        cv2.circle(pixels, (x, 50), 8, (20, 20, 20), -1)
    cv2.ellipse(pixels, (64, 85), (22, 10), 0, 0, 360, (200, 20, 40), -1)
    return pixels


def ink(pixels: np.ndarray) -> np.ndarray:
    return pixels.min(axis=2) < 200


def drawn(kind: str, seed: int) -> np.ndarray:
    return sketch(trace(face(), 5), STILL, kind, np.random.default_rng(seed))


def test_a_picture_is_traced_into_its_areas():
    shapes = trace(face(), 5)
    (outer,) = [shape for shape in shapes if shape.outer]
    assert outer.area == pytest.approx(np.pi * 50**2 / 128**2, rel=0.03)
    radii = np.hypot(*(outer.points * 128 - 64).T)
    assert abs(radii - 50).max() < 2.5
    eyes = [s for s in shapes if not s.outer and s.colour.max() < 60]
    assert len(eyes) == 2 and all(s.area == pytest.approx(np.pi * 64 / 128**2, rel=0.3) for s in eyes)
    assert all(s.contrast > 150 for s in eyes)
    assert [s.area for s in shapes if not s.outer] == sorted(
        (s.area for s in shapes if not s.outer), reverse=True
    )


def animal(eye: int) -> np.ndarray:
    """A brown body on thin black legs, with two dark eyes of so many pixels across; white on its chest."""
    pixels = np.full((128, 128, 3), 255, np.uint8)
    cv2.rectangle(pixels, (20, 30), (100, 80), (180, 120, 60), -1)
    for x in (25, 45, 75, 95):
        cv2.rectangle(pixels, (x, 81), (x + 4, 120), (20, 20, 20), -1)
    cv2.circle(pixels, (60, 62), 12, (255, 255, 255), -1)
    for x in (40, 80):
        pixels[45 : 45 + eye, x : x + eye] = 20
    return pixels


@pytest.mark.parametrize("eye", [2, 3, 5])
def test_small_dark_details_are_marks_and_thin_limbs_are_not(eye):
    marks = [shape for shape in trace(animal(eye), 5) if shape.mark]
    assert len(marks) == 2
    for shape, x in zip(sorted(marks, key=lambda s: s.points[0, 0]), (40, 80)):
        middle = [x + (eye - 1) / 2 + 0.5, 45 + (eye - 1) / 2 + 0.5]
        assert shape.points.mean(axis=0) * 128 == pytest.approx(middle, abs=0.6)
        assert shape.area == pytest.approx(eye**2 / 128**2) and shape.colour.max() < 40 and not shape.outer


def test_an_eye_in_white_is_a_mark_and_one_beside_the_thing_is_not():
    pixels = animal(3)
    pixels[60:64, 58:62] = 20  # on the white chest
    pixels[5:9, 5:9] = 20  # on the page
    marks = [shape for shape in trace(pixels, 5) if shape.mark]
    assert len(marks) == 3
    assert any(np.allclose(s.points.mean(axis=0) * 128, 60, atol=3) for s in marks)


def test_both_eyes_are_drawn_or_none_and_they_are_full():
    shapes = trace(animal(5), 5)
    spots = [np.s_[2 * 45 + 2 : 2 * 45 + 8, 2 * x + 2 : 2 * x + 8] for x in (40, 80)]
    dark = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        pixels = sketch(shapes, STILL, "outline", rng)
        paper = np.concatenate([pixels[spot].reshape(-1, 3) for spot in spots])
        dark.append([float((pixels[spot].min(axis=2) < 220).mean()) for spot in spots])
        assert paper.shape == (72, 3)
    dark = np.array(dark)
    both, none = (dark > 0.3).all(axis=1), (dark < 0.1).all(axis=1)
    assert (both | none).mean() > 0.9 and 0.6 < both.mean() < 0.95


def test_a_picture_is_traced_the_same_way_whatever_was_before():
    crowd = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    crowd = cv2.resize(crowd, (128, 128), interpolation=cv2.INTER_NEAREST)
    cv2.setRNGSeed(1)
    first = trace(crowd, 8)
    for seed in range(2, 6):
        cv2.setRNGSeed(seed)
        again = trace(crowd, 8)
        assert [s.area for s in again] == [s.area for s in first]
        assert all(np.array_equal(a.points, b.points) for a, b in zip(again, first))


def test_blank_and_crowded_pictures():
    assert trace(np.full((64, 64, 3), 255, np.uint8), 5) == []
    for kind in SKETCHES:
        if kind != "spoilt":
            assert (sketch([], STILL, kind, np.random.default_rng(0)) == 255).all()
    crowd = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    crowd = cv2.resize(crowd, (128, 128), interpolation=cv2.INTER_NEAREST)
    shapes = trace(crowd, 8)
    assert len([s for s in shapes if not s.mark]) <= MOST_SHAPES
    assert len([s for s in shapes if s.mark]) <= MOST_MARKS


@pytest.mark.parametrize("kind", [kind for kind in SKETCHES if kind != "spoilt"])
def test_every_drawing_is_another_and_follows_its_seed(kind):
    made = [drawn(kind, seed) for seed in range(12)]
    assert all(picture.shape == (CANVAS, CANVAS, 3) and picture.dtype == np.uint8 for picture in made)
    assert len({picture.tobytes() for picture in made}) == 12
    assert made[3].tobytes() == drawn(kind, 3).tobytes()


def test_outlines_are_lines_and_filled_drawings_are_full():
    truth = cv2.resize(face(), (CANVAS, CANVAS), interpolation=cv2.INTER_AREA)
    inside = ink(truth)
    share = {
        kind: np.mean([ink(drawn(kind, seed))[inside].mean() for seed in range(20)])
        for kind in SKETCHES
        if kind != "spoilt"
    }
    assert share["outline"] < 0.4 < 0.75 < share["flat"] and share["filled"] > 0.75
    assert share["unfinished"] < share["outline"]


def test_the_silhouette_is_drawn_where_it_is():
    """Most ink of an outline lies near an edge of the picture, whatever the hand."""
    truth = cv2.resize(face(), (CANVAS, CANVAS), interpolation=cv2.INTER_AREA)
    edges = cv2.dilate(cv2.Canny(truth, 50, 150), np.ones((33, 33), np.uint8)) > 0
    near = [edges[ink(drawn("outline", seed))].mean() for seed in range(20)]
    assert np.median(near) > 0.9 and min(near) > 0.55


def test_a_drawing_moves_with_its_place():
    shift = np.column_stack([0.5 * np.eye(2), [0.45, 0.05]])
    moved = sketch(trace(face(), 5), shift, "filled", np.random.default_rng(0))
    y, x = np.nonzero(ink(moved))
    assert x.mean() / CANVAS == pytest.approx(0.7, abs=0.05) and y.mean() / CANVAS == pytest.approx(
        0.3, abs=0.05
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from([kind for kind in SKETCHES if kind != "spoilt"]))
def test_no_picture_is_too_odd(seed, kind):
    rng = np.random.default_rng(seed)
    pixels = np.full((32, 32, 3), 255, np.uint8)
    for _ in range(rng.integers(0, 6)):
        x, y, w, h = rng.integers(0, 32, 4)
        pixels[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    made = sketch(trace(pixels, int(rng.choice([3, 5, 8]))), STILL, kind, rng)
    assert made.shape == (CANVAS, CANVAS, 3)


def test_spoilt_pictures_are_worse_and_still_the_same_thing():
    good = face()
    for seed in range(20):
        bad = spoil(good, np.random.default_rng(seed))
        assert bad.shape == good.shape and bad.dtype == np.uint8
        assert abs(bad.astype(float).mean() - good.mean()) < 12
    assert len({spoil(good, np.random.default_rng(seed)).tobytes() for seed in range(20)}) > 15

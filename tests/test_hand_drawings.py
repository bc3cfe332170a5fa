"""The drawings by many hands that are kept aside for testing."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from diffusion.images import load, prepare

ASSETS = Path(__file__).parents[1] / "assets"
DRAWINGS = sorted((ASSETS / "drawings" / "hands").glob("*.png"))


@pytest.fixture
def draw_hands(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(ASSETS)
    return importlib.import_module("draw_hands")


@pytest.mark.slow
def test_drawings_are_what_the_script_draws(draw_hands, tmp_path) -> None:
    assert draw_hands.main(tmp_path / "hands", tmp_path / "sheet.png") == 0
    assert [path.name for path in DRAWINGS] == sorted(path.name for path in (tmp_path / "hands").iterdir())
    pairs = [(tmp_path / "hands" / path.name, path) for path in DRAWINGS]
    for pair in [*pairs, (tmp_path / "sheet.png", ASSETS / "hands.png")]:
        again, kept = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in pair)
        assert np.abs(again - kept).mean() < 1, pair[1].name  # OpenCV's edges may differ by a pixel


def test_names_say_what_is_drawn_and_how(draw_hands) -> None:
    concepts, habits = [], []
    for path in DRAWINGS:
        assert re.fullmatch(r"[a-z]+([-_][a-z]+)*-[a-z]+-[1-9]", path.stem), path.name
        concept, habit, _ = path.stem.rsplit("-", 2)
        concepts.append(concept)
        habits.append(habit)
    assert set(habits) == set(importlib.import_module("hand").WIDTHS)
    assert len(DRAWINGS) >= 60 and len(set(concepts)) >= 50
    plain = sum(habit in importlib.import_module("hand").OUTLINES for habit in habits)
    assert 0.4 <= plain / len(habits) <= 0.6


def test_names_are_drawn_once(draw_hands) -> None:
    names = [drawing.name for drawing in importlib.import_module("hand").DRAWINGS]
    assert len(names) == len(set(names)) == len(DRAWINGS)


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawing_is_small_and_on_white_paper(path: Path) -> None:
    image = load(path)
    assert image.size == (512, 512) and image.mode == "RGB" and path.stat().st_size < 15_000
    assert sum(image.getpixel(at) == (255, 255, 255) for at in ((0, 0), (511, 0), (0, 511), (511, 511))) >= 3
    assert not prepare(image, 64).blank


@pytest.mark.parametrize("habit", ["thin", "pen", "thick", "coloured", "colourpen"])
def test_plain_outlines_are_black_and_others_are_not(habit: str) -> None:
    paths = sorted(ASSETS.glob(f"drawings/hands/*-{habit}-*.png"))
    assert paths
    for path in paths:
        pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
        colourful = np.ptp(pixels, axis=2).max() > 20  # the black of the brush is (30, 30, 34)
        assert colourful == habit.startswith("colour"), path.name


def test_tiny_drawings_are_tiny() -> None:
    for path in ASSETS.glob("drawings/hands/*-tiny-*.png"):
        rows, columns = np.nonzero(np.asarray(Image.open(path).convert("L")) < 128)
        assert max(np.ptp(rows), np.ptp(columns)) < 0.4 * 512, path.name

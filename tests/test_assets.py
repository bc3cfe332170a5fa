"""The example drawings, and the scripts in assets/ that make pictures for the README."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import Checkpoint, save_checkpoint
from diffusion.images import load, prepare

ASSETS = Path(__file__).parents[1] / "assets"
DRAWINGS = sorted((ASSETS / "drawings").glob("*.png"))


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ASSETS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_drawings_are_what_the_script_draws(tmp_path) -> None:
    assert script("draw_examples").main(tmp_path) == 0
    assert [path.name for path in DRAWINGS] == sorted(path.name for path in tmp_path.iterdir())
    for path in DRAWINGS:
        again, kept = (np.asarray(Image.open(p)).astype(int) for p in (tmp_path / path.name, path))
        assert np.abs(again - kept).mean() < 1, path.name  # OpenCV's edges may differ by a pixel


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawing_fills_its_canvas_on_white_paper(path: Path) -> None:
    image = load(path)
    prepared = prepare(image, 64)
    assert image.size == (512, 512) and image.mode == "RGB" and not prepared.blank
    left, _, right, _ = prepared.box
    assert 0.6 <= 0.85 * (right - left) / 512 <= 0.95
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_contact_sheet(tmp_path, capsys) -> None:
    subjects, styles = ["apple", "cat", "ice cream", "kiwi"], ["photo", "noto", "blob"]
    pairs = [("apple", "photo"), ("apple", "noto"), ("cat", "noto"), ("cat", "blob"), ("ice cream", "noto")]
    names = {"subject": subjects, "style": styles}
    save_checkpoint(tmp_path / "c.safetensors", tiny_checkpoint(names, pairs))
    out = tmp_path / "sheet.png"
    argv = ["--checkpoint", str(tmp_path / "c.safetensors"), "--out", str(out), "--cell", "40"]
    sheet = script("contact_sheet")
    sheet.STRENGTHS = (0.2, 0.4)
    assert sheet.main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "apple.png", "apple-2.png", "cat.png", "cat-2.png", "ice_cream.png"
    ]  # fmt: skip
    assert [line.split()[1] for line in lines] == ["photo", "noto", "blob", "noto", "noto"]
    first = out.read_bytes()
    size = Image.open(out).size
    assert size[0] > 2 * 3 * 40 and 3 * 40 < size[1] < 5 * 60
    sheet.main(argv)
    assert out.read_bytes() == first
    with pytest.raises(SystemExit):
        sheet.main(["--checkpoint", "gone"])
    assert "There is no checkpoint at gone." in capsys.readouterr().err


def test_style_is_the_one_used_least() -> None:
    sheet = script("contact_sheet")
    checkpoint = Checkpoint(
        None,
        None,
        "sample",
        {"subject": ["a"], "style": ["x", "y", "z"]},
        pairs=[("a", "y"), ("a", "z"), ("b", "x")],
    )
    assert sheet.least_used_style(checkpoint, "a", Counter()) == "y"
    assert sheet.least_used_style(checkpoint, "a", Counter(y=2, z=1)) == "z"

"""Nothing is left over that looks like a result."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from conftest import apple_drawing, tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.__main__ import main


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a drawing and the only checkpoint."""
    monkeypatch.chdir(tmp_path)
    apple_drawing(64).save("in.png")
    save_checkpoint("checkpoints/tiny.safetensors", tiny_checkpoint())
    return tmp_path


def test_frames_are_of_one_run(here):
    """A shorter run behind a longer one would make a film of two pictures."""
    frames = here / "frames"
    frames.mkdir()
    for name in ("holiday.png", "20.png"):  # not ours: 20 does not follow the last frame
        (frames / name).write_bytes(b"precious")
    for steps, count in (("12", 8), ("5", 4)):
        assert main(["in.png", "out.png", "--frames", "frames", "--steps", steps]) == 0
        assert sorted(path.name for path in frames.glob("0*.png")) == [f"0{i}.png" for i in range(count)]
    assert main(["-", "out.png", "--frames", "frames", "--steps", "101", "--size", "8"]) == 0
    assert (
        not (frames / "00.png").exists() and (frames / "000.png").exists() and (frames / "101.png").exists()
    )
    assert main(["in.png", "out.png", "--frames", "frames", "--steps", "5"]) == 0
    assert sorted(path.name for path in frames.iterdir()) == [
        "00.png", "01.png", "02.png", "03.png", "20.png", "holiday.png",
    ]  # fmt: skip


def test_a_mask_that_keeps_everything_says_so(here, capsys):
    Image.new("L", (64, 64), 100).save("dark.png")
    assert main(["in.png", "out.png", "--mask", "dark.png", "--steps", "5"]) == 0
    assert "dark.png keeps everything" in capsys.readouterr().err


def test_an_evaluation_does_not_pass_on_an_earlier_one_s_pictures(tmp_path):
    """pictures.json is what --compare reads; a run without drawings writes none."""
    from diffusion.evaluate.evaluation import evaluate
    from diffusion.train.data import load_pictures
    from fruit import draw, study_of

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pictures.json").write_text("{}")
    study = study_of(load_pictures([draw(tmp_path / "data")], 32, 0.4))
    evaluate(study, [], {}, tmp_path / "out")
    assert not (tmp_path / "out" / "pictures.json").exists()

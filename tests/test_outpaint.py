"""Outpainting and the other modes of one edit, on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.__main__ import main
from diffusion.outpaint import widened

BLUE = (20, 40, 200)


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("told") / "told.safetensors"
    save_checkpoint(path, tiny_checkpoint(drawing=True))
    return str(path)


@pytest.fixture
def drawing(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 32), BLUE).save("in.png")


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_the_frame_is_dragged_and_the_drawing_stays_where_it_is():
    page, free = widened(Image.new("RGBA", (40, 20), BLUE), (0.25, 0, 0.5, 1))
    assert page.size == free.size == (70, 60)
    inside = np.zeros((60, 70), bool)
    inside[:20, 10:50] = True
    assert (np.asarray(page)[inside] == BLUE).all() and (np.asarray(page)[~inside] == 255).all()
    assert ((np.asarray(free) == 0) == inside).all()
    half = Image.new("L", (40, 20), 0)
    half.paste(255, (0, 0, 20, 20))
    _, free = widened(page.crop((10, 0, 50, 20)), (0.25, 0, 0.5, 1), half)
    assert (np.asarray(free)[:20, 10:30] == 255).all() and (np.asarray(free)[:20, 30:50] == 0).all()
    for margins, said in (((0, 0, 0, 0), "nothing to paint"), ((2, 2, 2, 2), "too large")):
        with pytest.raises(ValueError, match=said):
            widened(Image.new("RGB", (4000, 10)), margins)


def test_what_is_around_is_painted_and_the_drawing_kept_bit_for_bit(drawing, told):
    words = ["--checkpoint", told, "--steps", "3", "--outpaint", "0.5", "0.25", "0", "0.25"]
    assert main(["in.png", "out.png", *words]) == 0
    out = pixels("out.png")
    assert out.shape == (64, 96, 3) and (out[16:48, 32:] == BLUE).all()
    around = np.concatenate([out[:16].reshape(-1, 3), out[:, :28].reshape(-1, 3)])
    assert around.std() > 5, "painted, not left white"
    assert main(["in.png", "other.png", *words, "--resample", "3"]) == 0
    assert (pixels("other.png")[16:48, 32:] == BLUE).all() and (pixels("other.png") != out).any()


def test_an_outpainted_drawing_is_not_told(drawing, told, monkeypatch):
    from diffusion.unet import UNet

    seen = []
    forward = UNet.forward
    monkeypatch.setattr(UNet, "forward", lambda self, *a, **k: (seen.append(k), forward(self, *a, **k))[1])
    assert main(["in.png", "out.png", "--checkpoint", told, "--steps", "2"]) == 0
    assert all(each["drawing"][:, 3].any() for each in seen)
    seen.clear()
    assert (
        main(["in.png", "out.png", "--checkpoint", told, "--steps", "2", "--outpaint", "1", "0", "0", "0"])
        == 0
    )
    assert seen and not any(each["drawing"].any() for each in seen)


def test_a_low_pass_keeps_what_the_small_picture_shows(drawing, told):
    """ILVR from pure noise: averaged down, the result is the drawing."""
    words = ["--checkpoint", told, "--strength", "1", "--steps", "4", "--size", "64"]
    for name, more in (("free", []), ("held", ["--low-pass", "4"])):
        assert main(["in.png", f"{name}.png", *words, *more]) == 0
    small = lambda name: np.asarray(
        Image.open(name).convert("RGB").resize((4, 2), Image.Resampling.BOX)
    ).astype(int)
    apart = lambda name: np.abs(small(name) - small("in.png")).mean()
    assert apart("held.png") < 25 and apart("held.png") < apart("free.png") / 2


@pytest.mark.parametrize(
    "words, said",
    [
        (["--outpaint", "0", "0", "0", "0"], "nothing to paint"),
        (["--resample", "2"], "Resampling is for"),
        (["--low-pass", "5"], "blocks of 5"),
        (["--outpaint", "3", "0", "0", "0"], "from 0 to 2"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(drawing, told, capsys, words, said):
    assert main(["in.png", "out.png", "--checkpoint", told, *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert main(["-", "out.png", "--checkpoint", told, "--outpaint", "1", "0", "0", "0"]) == 2

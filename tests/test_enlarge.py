"""A picture with few pixels made larger: how it is prepared, and the command that does it."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.__main__ import main
from diffusion.enlarge import prepare_whole
from diffusion.images import ImageError, prepare, to_pil
from diffusion.upscaler import UpscalerError, save_upscaler
from test_upscaler import wild

R = 16  # of the tiny checkpoint; its upscaler makes 64 of them


@pytest.fixture(scope="module")
def checkpoint():
    return replace(tiny_checkpoint(), codec=wild())


def noisy(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 200, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


# ---- how it is prepared


def test_a_picture_of_the_models_size_is_taken_as_it_is(checkpoint):
    picture = noisy(R, R)
    prepared = prepare_whole(picture, checkpoint)
    assert np.array_equal(np.asarray(to_pil(prepared.x0)), np.asarray(picture))
    assert prepared.box == (0, 0, R, R) and not prepared.blank


@pytest.mark.parametrize("width, height", [(16, 9), (9, 16), (40, 24)])
def test_edges_are_continued_where_the_picture_is_not_square(checkpoint, width, height):
    """White paper beside it would shine into it; and what stands for it is cut off again."""
    picture = Image.new("RGB", (width, height), (30, 60, 90))
    prepared = prepare_whole(picture, checkpoint)
    assert prepared.x0.shape == (1, 3, R, R) and prepared.original_size == (width, height)
    assert (np.asarray(to_pil(prepared.x0)) == (30, 60, 90)).all()
    left, top, right, bottom = prepared.box
    assert right - left == bottom - top == max(width, height)
    assert abs((left + right) - width) <= 1 and abs((top + bottom) - height) <= 1


def test_many_pixels_are_averaged(checkpoint):
    picture = noisy(4 * R, 4 * R)
    means = np.asarray(picture, dtype=float).reshape(R, 4, R, 4, 3).mean((1, 3))
    assert np.abs(np.asarray(to_pil(prepare_whole(picture, checkpoint).x0)) - means).max() <= 1


def test_fewer_pixels_than_the_model_draws_are_decoded_until_there_are_enough():
    upscaled = wild(size=64)
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(upscaled.encode(x), upscaled.decode(x))
    larger = upscaled.decode(torch.nn.functional.avg_pool2d(x, 2))  # 32
    mean = torch.nn.functional.adaptive_avg_pool2d(upscaled.decode(larger), 64)  # of 128
    torch.testing.assert_close(upscaled.encode(torch.nn.functional.avg_pool2d(x, 2)), mean)


def test_what_cannot_be_enlarged_is_a_sentence(checkpoint):
    with pytest.raises(ImageError, match="15 x 8 pixels is too small to be enlarged: 16 pixels at least"):
        prepare_whole(noisy(15, 8), checkpoint)
    with pytest.raises(UpscalerError, match="takes an upscaler, and this model has none beside it"):
        prepare_whole(noisy(16, 16), tiny_checkpoint())


def test_the_same_view_at_another_width(checkpoint):
    prepared = prepare_whole(noisy(32, 20), checkpoint)
    assert prepared.box == (0, -6, 32, 26)
    larger = prepared.resized(320)
    assert (larger.box, larger.original_size) == ((0, -60, 320, 260), (320, 200))
    assert larger.x0 is prepared.x0 and prepared.resized(1).original_size == (1, 1)


# ---- the command


@pytest.fixture
def file(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(folder / "tiny.safetensors", tiny_checkpoint())
    save_upscaler(folder / "upscaler" / "upscaler-16.safetensors", wild(), torch.float32)
    return str(folder / "tiny.safetensors")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(file: str, *words: str) -> Image.Image:
    assert main(["in.png", "out.png", "--checkpoint", file, "--steps", "10", "--enlarge", *words]) == 0
    return Image.open("out.png").convert("RGB")


def test_strength_0_is_the_upscaler_alone(file, checkpoint, capsys):
    """Pixel for pixel, and without a step of the denoiser."""
    noisy(R, R).save("in.png")
    decoded = checkpoint.codec.decode(prepare_whole(noisy(R, R), checkpoint).x0)
    assert np.array_equal(np.asarray(run(file)), np.asarray(to_pil(decoded)))
    assert capsys.readouterr().out == "out.png: 0 steps\n"
    assert run(file, "--strength", "0").tobytes() == to_pil(decoded).tobytes()
    assert run(file, "--strength", "0.4").tobytes() != to_pil(decoded).tobytes()
    assert capsys.readouterr().out.endswith("out.png: 4 steps\n")


@pytest.mark.parametrize("size", [(32, 20), (20, 32), (16, 16), (90, 30)])
def test_the_shape_stays(file, size):
    noisy(*size).save("in.png")
    for words, longest in [((), 64), (("--size", "1024"), 1024), (("--strength", "0.3"), 64)]:
        made = run(file, *words)
        assert max(made.size) == longest
        assert made.size == tuple(round(side * longest / max(size)) for side in size)


def test_no_bar_is_left_of_a_picture_that_is_not_square(file):
    Image.new("RGB", (32, 18), (0, 0, 0)).save("in.png")
    save_upscaler(Path(file).parent / "upscaler" / "upscaler-16.safetensors", wild_but_last(), torch.float32)
    assert not np.asarray(run(file)).any()


def wild_but_last():
    """An upscaler that adds nothing: bicubic."""
    upscaled = wild()
    upscaled.network.body[-1].weight.zero_()
    upscaled.network.body[-1].bias.zero_()
    return upscaled


def test_what_is_masked_is_kept_at_the_results_size(file):
    noisy(32, 20).save("in.png")
    mask = Image.new("L", (32, 20), 255)
    mask.paste(0, (0, 0, 10, 20))
    mask.save("mask.png")
    made = np.asarray(run(file, "--strength", "0.5", "--mask", "mask.png"))
    plain = np.asarray(noisy(32, 20).resize((64, 40), Image.Resampling.LANCZOS))
    assert (made[:, :20] == plain[:, :20]).all() and (made[:, 20:] != plain[:, 20:]).any()


def test_frames_and_gif_have_its_shape(file):
    noisy(32, 20).save("in.png")
    run(file, "--strength", "0.3", "--frames", "f", "--gif", "g.gif")
    assert {Image.open(f"f/{name}").size for name in os.listdir("f")} == {(64, 40)}
    assert Image.open("g.gif").size == (64, 40) and Image.open("g.gif").n_frames == 3


def test_1024_pixels_of_a_drawing_are_lanczos_of_the_result(file, checkpoint):
    noisy(R, R).save("in.png")
    words = ["in.png", "out.png", "--checkpoint", file, "--strength", "0"]
    assert main([*words, "--size", "1024"]) == 0
    larger = noisy(R, R).resize((1024, 1024), Image.Resampling.LANCZOS)
    decoded = checkpoint.codec.decode(prepare(larger, R).x0)
    assert Image.open("out.png").tobytes() == to_pil(decoded, 1024).tobytes()


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["-", "out.png"], "To make it larger takes a picture, and IN is -."),
        (["small.png", "out.png"], "is too small to be enlarged"),
        (["in.png", "out.png", "--size", "5000"], "--size: must be a whole number from 8 to 4096"),
        (["in.png", "out.png", "--size", "large"], "--size: must be a whole number from 8 to 4096"),
        (["in.png", "out.png", "--checkpoint", "alone.safetensors"], "this model has none beside it"),
    ],
)
def test_mistakes_are_one_sentence(file, capsys, words, sentence):
    noisy(32, 20).save("in.png")
    noisy(12, 9).save("small.png")
    save_checkpoint("alone.safetensors", tiny_checkpoint())
    words = words if "--checkpoint" in words else [*words, "--checkpoint", file]
    assert main([*words, "--enlarge"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("sdedit: ") and sentence in error and error.count("\n") == 1
    assert not Path("out.png").exists()

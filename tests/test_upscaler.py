"""The network that enlarges finished pictures, its file, and its place behind every result."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import diffusion.__main__ as cli
from conftest import apple_drawing, half_mask, tiny_checkpoint
from diffusion import load_checkpoint, save_checkpoint
from diffusion.codec import Pixels, codec_beside
from diffusion.errors import DoodleError
from diffusion.images import ImageError, paste_back, prepare, to_pil
from diffusion.page.canvas_io import data_url
from diffusion.page.choices import find_checkpoints
from diffusion.page.drawing import read_drawing
from diffusion.page.session import RESULT_SIDE, Run, paint
from diffusion.page.settings import Settings
from diffusion.sampler import only_steps
from diffusion.upscaler import (
    Upscaled,
    Upscaler,
    UpscalerConfig,
    UpscalerError,
    enlarged,
    load_upscaler,
    save_upscaler,
)
from toys import noise

TINY = UpscalerConfig(factor=4, channels=8, convolutions=3)
SETTINGS = Settings("tiny", {"subject": "cat"}, 0.5, 6, 2.0, 0.0, 3, False)


def wild(config=TINY, size=16) -> Upscaled:
    """An upscaler with weights that nothing good can come of."""
    torch.manual_seed(0)
    network = Upscaler(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    return Upscaled(network.eval().requires_grad_(False), size, ["Shapes, CC0"], {"steps": 7})


def on_paper(size=32) -> torch.Tensor:
    """Noise on a white page."""
    x = torch.ones(2, 3, size, size)
    x[..., 10:20, 8:16] = noise(2, 3, 10, 8).clamp(-1, 1)
    return x


@pytest.mark.parametrize("factor, size", [(1, 8), (2, 16), (4, 64)])
def test_the_result_is_so_many_times_larger(factor, size):
    x = noise(2, 3, size, size).clamp(-1, 1)
    y = wild(UpscalerConfig(factor, 8, 2), size).decode(x)
    assert y.shape == (2, 3, factor * size, factor * size) and y.abs().max() <= 1


def test_it_begins_as_the_plain_enlargement():
    x = noise(1, 3, 16, 16).clamp(-1, 0.9)
    upscaled = Upscaled(Upscaler(UpscalerConfig()).eval(), 16)
    torch.testing.assert_close(upscaled.decode(x), enlarged(x, 4).clamp(-1, 1))


@pytest.mark.parametrize("almost", [0.0, 0.9])
def test_paper_stays_exactly_white_whatever_the_weights_say(almost):
    """Also where it is white only to the eye, less than half a grey level away."""
    x = on_paper() - almost / 255 * (on_paper() == 1)
    y = wild().decode(x)
    ink = F.max_pool2d((on_paper() < 1).any(1, keepdim=True).float(), 3, 1, 1)
    near = ink.repeat_interleave(4, 2).repeat_interleave(4, 3).expand_as(y) > 0
    assert (y[~near] == 1).all() and (y[near] != 1).any()
    assert (wild().decode(torch.ones(1, 3, 16, 16)) == 1).all()


def test_a_large_drawing_is_averaged_and_one_of_the_models_size_is_left_alone():
    upscaled, x = wild(), noise(1, 3, 16, 16)
    assert upscaled.encode(x) is x
    torch.testing.assert_close(upscaled.encode(x.repeat_interleave(4, 2).repeat_interleave(4, 3)), x)
    with pytest.raises(DoodleError, match="24 pixels is no multiple of 16"):
        upscaled.encode(noise(1, 3, 24, 24))


def test_the_file_brings_it_back_and_is_small(tmp_path):
    path, upscaled = tmp_path / "a.safetensors", wild()
    save_upscaler(path, upscaled, torch.float32)
    back = load_upscaler(path)
    assert torch.equal(back.decode(on_paper()), upscaled.decode(on_paper()))
    assert (back.image_size, back.credits, back.training) == (16, ["Shapes, CC0"], {"steps": 7})
    assert back.network.config == TINY and not back.network.training
    save_upscaler(path, Upscaled(Upscaler(UpscalerConfig()), 64))
    assert path.stat().st_size < 2_000_000
    save_checkpoint(path, tiny_checkpoint())
    with pytest.raises(UpscalerError, match="was not made by diffusion.train.upscaler"):
        load_upscaler(path)


@pytest.mark.parametrize("bad", [{"factor": 0}, {"channels": 0}, {"convolutions": 1}])
def test_a_network_of_nothing_is_refused(bad):
    with pytest.raises(DoodleError, match="must be a whole number from"):
        UpscalerConfig(**bad)


# ---- beside a checkpoint


@pytest.fixture
def folder(tmp_path):
    """Two checkpoints, of 16 and of 32 pixels, and an upscaler for the first."""
    save_checkpoint(tmp_path / "tiny.safetensors", tiny_checkpoint())
    save_checkpoint(tmp_path / "other.safetensors", tiny_checkpoint(image_size=32))
    save_upscaler(tmp_path / "upscaler" / "upscaler-16.safetensors", wild())
    return tmp_path


def test_a_checkpoint_finds_the_one_for_its_size(folder):
    codec = load_checkpoint(folder / "tiny.safetensors").codec
    assert isinstance(codec, Upscaled) and codec.image_size == 16
    assert load_checkpoint(folder / "other.safetensors").codec == Pixels()
    found, problems = find_checkpoints(folder)
    assert sorted(found) == ["other", "tiny"] and not problems


def test_one_that_is_of_no_use_is_a_sentence(folder):
    path = folder / "upscaler" / "upscaler-16.safetensors"
    save_upscaler(path, wild(size=8))
    with pytest.raises(UpscalerError, match="is for pictures of 8 pixels"):
        codec_beside(folder / "tiny.safetensors", 16)
    path.write_bytes(path.read_bytes()[:500])
    found, (problem,) = find_checkpoints(folder)
    assert sorted(found) == ["other", "tiny"], "it does not take the model along"
    assert not found["tiny"].enlarges
    save_upscaler(path, wild())
    (folder / "guide").mkdir()
    (folder / "guide" / "guide-16.safetensors").write_bytes(b"no classifier")
    assert find_checkpoints(folder)[0]["tiny"].enlarges, "nor does a guide take the upscaler"
    assert problem.endswith("upscaler-16.safetensors is damaged or not a safetensors file.")
    assert str(folder) not in problem


def test_the_page_shows_the_large_picture_and_keeps_what_is_masked_exactly(folder):
    checkpoint = load_checkpoint(folder / "tiny.safetensors")
    drawn = {"picture": data_url(apple_drawing()), "keep": data_url(half_mask())}
    drawing = read_drawing(drawn, checkpoint, SETTINGS)
    steps = list(only_steps(paint(checkpoint, drawing, SETTINGS)))
    assert {step.x0.shape[-1] for step in steps[:-1]} == {16} and steps[-1].x0.shape[-1] == 64
    assert all(step.x.shape[-1] == 16 for step in steps)
    run = Run(SETTINGS, drawing, steps)
    result, original = (np.asarray(picture) for picture in (run.picture(), apple_drawing()))
    kept = np.asarray(half_mask().convert("L")) == 0
    assert result.shape == original.shape == (RESULT_SIDE, RESULT_SIDE, 3)
    assert (result[kept] == original[kept]).all() and (result[~kept] != original[~kept]).any()
    assert run.gif() and run.only(0).steps[-1].x0.shape == (1, 3, 64, 64)


def test_the_mask_is_as_fine_as_the_result(folder):
    """A kept area of odd pixels, finer than the model's own: not one of them changes."""
    checkpoint = load_checkpoint(folder / "tiny.safetensors")
    original, keep = apple_drawing(256), Image.new("L", (256, 256), 255)
    keep.paste(0, (101, 97, 134, 203))
    prepared = prepare(original, 16)
    painted = to_pil(checkpoint.codec.decode(noise(1, 3, 16, 16).clamp(-1, 1)))
    result = np.asarray(paste_back(painted, prepared, original, keep))
    kept = np.asarray(keep) == 0
    assert painted.size == (64, 64) and (result[kept] == np.asarray(original)[kept]).all()
    with pytest.raises(ImageError):
        paste_back(painted, prepared, original, Image.new("L", (256, 100)))


def test_the_command_s_last_frame_is_the_large_picture(folder):
    apple_drawing(64).save(folder / "in.png")
    words = [str(folder / "in.png"), str(folder / "out.png"), "--steps", "6", "--size", "64"]
    words += ["--frames", str(folder / "frames"), "--checkpoint"]
    assert cli.main([*words, str(folder / "tiny.safetensors")]) == 0
    large = [np.asarray(Image.open(path)) for path in sorted((folder / "frames").iterdir())]
    (folder / "upscaler" / "upscaler-16.safetensors").unlink()
    assert cli.main([*words, str(folder / "tiny.safetensors")]) == 0
    plain = [np.asarray(Image.open(path)) for path in sorted((folder / "frames").iterdir())]
    same = [np.array_equal(a, b) for a, b in zip(large, plain, strict=True)]
    assert all(same[:-1]) and not same[-1]


def test_strength_0_is_the_drawing_enlarged(folder):
    checkpoint = load_checkpoint(folder / "tiny.safetensors")
    drawing = read_drawing({"picture": data_url(apple_drawing()), "keep": ""}, checkpoint, SETTINGS)
    (step,) = paint(checkpoint, drawing, replace(SETTINGS, strength=0.0))
    assert torch.equal(step.x0, checkpoint.codec.decode(drawing.prepared.x0))

"""The latent space: its codec, its file, and edits through a checkpoint that draws in it."""

from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as peers_divergence

from conftest import tiny_checkpoint
from diffusion import Sampling, edit, load_checkpoint, save_checkpoint
from diffusion.autoencoder import (
    Autoencoder,
    AutoencoderConfig,
    AutoencoderError,
    Latents,
    kl_divergence,
    load_autoencoder,
    save_autoencoder,
)
from diffusion.errors import DoodleError

SMALL = {"image_size": 32, "patch_size": 2, "channels": (8, 16), "latent_channels": 4}


def latents(**changes) -> Latents:
    torch.manual_seed(0)
    network = Autoencoder(AutoencoderConfig(**SMALL | changes))
    count = network.config.latent_channels
    return Latents(network.eval().requires_grad_(False), [0.5] * count, [2.0] * count, ["me"], {"steps": 3})


@pytest.fixture
def place(tmp_path):
    """A checkpoint that draws 4 x 8 x 8 latents of 32 pixels, with its autoencoder."""
    save_checkpoint(
        tmp_path / "latent.safetensors", tiny_checkpoint(image_channels=4, image_size=8, drawing=True)
    )
    save_autoencoder(tmp_path / "autoencoder/autoencoder-8.safetensors", latents(), torch.float32)
    return tmp_path


def test_the_divergence_from_a_standard_normal_agrees_with_pytorchs():
    mean, log_variance = torch.randn(2, 3, 4, 2, 2)
    expected = peers_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum((1, 2, 3))
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)
    assert not kl_divergence(torch.zeros(1, 4, 2, 2), torch.zeros(1, 4, 2, 2)).any()


def test_latents_are_normalized_and_decoded_from_that():
    codec, x = latents(), torch.rand(2, 3, 32, 32) * 2 - 1
    z = codec.encode(x)
    mean, _ = codec.network.encode(x)
    assert z.shape == (2, *codec.shape) == (2, 4, 8, 8)
    torch.testing.assert_close(z * 2 + 0.5, mean)
    torch.testing.assert_close(codec.decode(z), codec.network.decode(mean).clamp(-1, 1))
    assert codec.decode(1e4 * z).abs().max() <= 1


def test_latents_and_pictures_are_float32_whatever_the_arithmetic():
    codec, x = latents(), torch.rand(2, 3, 32, 32) * 2 - 1
    exact = codec.encode(x)
    with torch.autocast("cpu", torch.bfloat16):
        z = codec.encode(x)
        assert z.dtype == codec.decode(z).dtype == torch.float32
    assert not torch.equal(z, exact), "the arithmetic was bfloat16"
    torch.testing.assert_close(z, exact, atol=0.05, rtol=0)


def test_a_latent_depends_on_the_pixels_around_its_place_and_on_no_other_picture():
    codec, x = latents(), torch.rand(2, 3, 32, 32)
    changed = x.clone()
    changed[0, :, :4, :4] = -1
    before, after = codec.encode(x), codec.encode(changed)
    assert (before[0] - after[0]).abs().max() > 1e-4
    torch.testing.assert_close(before[1], after[1])


def test_its_file_brings_it_back(tmp_path):
    path, codec = tmp_path / "autoencoder.safetensors", latents()
    save_autoencoder(path, codec, torch.float32)
    loaded, x = load_autoencoder(path), torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(loaded.encode(x), codec.encode(x))
    assert (loaded.shift, loaded.scale, loaded.credits, loaded.training) == (
        [0.5] * 4,
        [2.0] * 4,
        ["me"],
        {"steps": 3},
    )


@pytest.mark.parametrize(
    "change", [{"scale": [0.0] * 4}, {"shift": [1.0]}, {"scale": ["much"] * 4}, {"shift": [float("inf")] * 4}]
)
def test_shifts_and_scales_that_cannot_be_are_refused(change):
    with pytest.raises(DoodleError, match="An autoencoder"):
        replace(latents(), **change)


@pytest.mark.parametrize(
    "change",
    [{"image_size": 30}, {"channels": ()}, {"channels": (6,)}, {"latent_channels": 0}, {"blocks": 0}],
)
def test_shapes_that_cannot_be_are_refused(change):
    with pytest.raises(DoodleError):
        AutoencoderConfig(**SMALL | change)


def test_a_checkpoint_finds_its_autoencoder_and_says_what_it_takes(place):
    checkpoint = load_checkpoint(place / "latent.safetensors")
    assert (checkpoint.image_size, checkpoint.drawing_size) == (8, 32)
    assert not checkpoint.enlarges and not checkpoint.codec.in_pixels


def test_without_it_or_with_another_one_a_sentence_says_so(place):
    path = place / "autoencoder/autoencoder-8.safetensors"
    save_autoencoder(path, latents(latent_channels=5))
    with pytest.raises(AutoencoderError, match="4 x 8 x 8 latents of latent"):
        load_checkpoint(place / "latent.safetensors")
    path.unlink()
    with pytest.raises(AutoencoderError, match="autoencoder-8"):
        load_checkpoint(place / "latent.safetensors")


def test_edits_in_the_latent_space_keep_what_the_mask_keeps_and_clip_nothing(place):
    checkpoint = load_checkpoint(place / "latent.safetensors")
    drawing = 3 * checkpoint.codec.encode(torch.rand(1, 3, 32, 32) * 2 - 1)
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    labels = {"subject": "apple"}
    *_, last = edit(checkpoint, drawing, labels, Sampling(0.6, 4), torch.Generator().manual_seed(0), mask)
    assert torch.equal(last.x[..., 4:], drawing[..., 4:]) and not torch.equal(last.x, drawing)
    assert checkpoint.codec.decode(last.x).shape == (1, 3, 32, 32)
    *_, untouched = edit(checkpoint, drawing, labels, Sampling(0.0, 4))
    assert torch.equal(untouched.x0, drawing) and drawing.abs().max() > 1

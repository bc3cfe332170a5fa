"""Trainings of an autoencoder, and of a network in its latent space: what they leave, and that they learn."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import draw_shapes

from diffusion import load_checkpoint
from diffusion.__main__ import main as edit
from diffusion.autoencoder import load_autoencoder
from diffusion.train.autoencoder import main
from diffusion.train.run import main as train

TINY = [
    "--image-size", "32", "--channels", "8", "16", "--batch-size", "8", "--warmup", "2", "--log-every", "2",
    "--precision", "fp32", "--device", "cpu", "--workers", "1",
]  # fmt: skip


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("place") / "shapes")


@pytest.fixture(scope="module")
def autoencoder(shapes, tmp_path_factory):
    out = tmp_path_factory.mktemp("autoencoder")
    flags = ["--steps", "300", "--lr", "1e-2", "--ema-decay", "0.8", "--sample-every", "100"]
    plain = ["--hold-out", "0.3", "--augment", "none", "--sketched", "0"]
    assert main(["--data", str(shapes), "--out", str(out), *TINY, *flags, *plain]) == 0
    return out


def test_a_run_leaves_what_it_promises(autoencoder, shapes):
    latents = load_autoencoder(autoencoder / "autoencoder-8.safetensors")
    record = latents.training
    assert (record["steps"], record["samples"], record["config"]["kl"]) == (300, 2400, 1e-3)
    assert str(shapes) not in str(record)
    assert {path.name for path in autoencoder.glob("samples-*.png")} == {
        "samples-000100.png", "samples-000200.png", "samples-000300.png"
    }  # fmt: skip


def test_it_learns(autoencoder):
    rows = list(csv.DictReader((autoencoder / "loss.csv").open()))
    last = float(rows[-1]["validation_loss"])
    assert last < 0.4 * float(rows[0]["loss"])


def test_its_latents_have_mean_0_and_deviation_1(autoencoder, shapes):
    latents = load_autoencoder(autoencoder / "autoencoder-8.safetensors")
    files = sorted(shapes.rglob("*.png"))
    pictures = torch.from_numpy(np.stack([np.asarray(Image.open(file)) for file in files]))
    x0 = pictures.permute(0, 3, 1, 2) / 127.5 - 1
    deviation, mean = torch.std_mean(latents.encode(x0), dim=(0, 2, 3))
    torch.testing.assert_close(mean, torch.zeros(4), rtol=0, atol=0.15)
    torch.testing.assert_close(deviation, torch.ones(4), rtol=0, atol=0.15)


def test_a_stopped_run_goes_on_exactly(shapes, tmp_path):
    flags = ["--data", str(shapes), *TINY, "--hold-out", "0"]
    assert main([*flags, "--out", str(tmp_path / "whole"), "--steps", "6"]) == 0
    assert main([*flags, "--out", str(tmp_path / "parts"), "--steps", "3", "--decay", "0"]) == 0
    assert main(["--resume", "--out", str(tmp_path / "parts"), "--steps", "6", "--decay", "0.3"]) == 0
    states = (torch.load(tmp_path / name / "state.pt")["model"] for name in ("whole", "parts"))
    for one, other in zip(*(state.values() for state in states)):
        torch.testing.assert_close(one, other)


def test_a_network_learns_in_its_latent_space_and_edits_pictures(autoencoder, shapes, tmp_path):
    file, out = autoencoder / "autoencoder-8.safetensors", tmp_path / "latent"
    flags = ["--data", str(shapes), "--out", str(out), "--autoencoder", str(file), "--steps", "4"]
    network = ["--channels", "32", "--attention", "0", "--blocks", "1", "--batch-size", "8"]
    assert train([*flags, *network, "--precision", "fp32", "--device", "cpu", "--hold-out", "0.3"]) == 0
    checkpoint = load_checkpoint(out / "checkpoint.safetensors")
    assert (checkpoint.shape, checkpoint.drawing_size) == ((4, 8, 8), 32)
    assert checkpoint.training["config"]["autoencoder"] == "autoencoder-8.safetensors"
    assert train(["--resume", "--out", str(out), "--steps", "6"]) == 0
    drawing, painted = next(shapes.rglob("*.png")), tmp_path / "out.png"
    flags = ["--checkpoint", str(out / "checkpoint.safetensors"), "--gif", str(tmp_path / "out.gif")]
    assert edit([str(drawing), str(painted), *flags, "--steps", "4"]) == 0
    assert Image.open(painted).size == (32, 32)


def test_a_network_of_pixels_goes_on_in_latents_with_what_it_knows(autoencoder, shapes, tmp_path):
    flags = ["--data", str(shapes), "--steps", "1", "--batch-size", "8", "--lr", "0", "--weight-decay", "0"]
    flags += ["--precision", "fp32", "--device", "cpu", "--hold-out", "0.3"]
    shape = ["--image-size", "16", "--patch-size", "2", "--detail-channels", "32"]
    network = ["--channels", "32", "--attention", "0", "--blocks", "1", *shape]
    assert train([*flags, *network, "--out", str(tmp_path / "pixels")]) == 0
    start = tmp_path / "pixels/checkpoint.safetensors"
    flags += ["--autoencoder", str(autoencoder / "autoencoder-8.safetensors"), "--init-from", str(start)]
    assert train([*flags, "--out", str(tmp_path / "latent")]) == 0
    pixels, latent = (load_checkpoint(tmp_path / name / start.name).model for name in ("pixels", "latent"))
    assert (latent.config.patch_size, latent.config.detail_channels) == (1, 0)
    torch.testing.assert_close(latent.middle.state_dict(), pixels.middle.state_dict())


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--image-channels", "4"], "--image-channels is 3"),
        (["--autoencoder", "missing.safetensors"], "missing.safetensors"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_a_sentence(flags, said, shapes, tmp_path, capsys):
    assert train(["--data", str(shapes), "--out", str(tmp_path), *flags]) == 2
    assert said in capsys.readouterr().err

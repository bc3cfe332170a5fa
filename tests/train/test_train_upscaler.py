"""Trainings of an upscaler: what they leave, that they learn, and that stopping leaves no trace."""

import csv

import pytest
import torch
from tiny import draw_shapes

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.train.losses import restoration_loss
from diffusion.train.upscaler import main
from diffusion.upscaler import load_upscaler
from toys import noise

TINY = [
    "--image-size", "16", "--channels", "8", "--convolutions", "3", "--crop", "8", "--batch-size", "8",
    "--warmup", "2", "--log-every", "2", "--precision", "fp32", "--device", "cpu", "--workers", "1",
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    draw_shapes(folder / "shapes")
    names = {"subject": ["ellipse", "rectangle"], "style": ["red", "blue"]}
    save_checkpoint(folder / "tiny.safetensors", tiny_checkpoint(names, []))
    save_checkpoint(folder / "large.safetensors", tiny_checkpoint(names, [], image_size=32))
    return folder


def flags(place, out, *extra) -> list[str]:
    own = ["--checkpoint", str(place / "tiny.safetensors"), "--own-results", "32"]
    return ["--data", str(place / "shapes"), "--out", str(out), *own, *TINY, *extra]


def test_a_run_leaves_what_it_promises(place, tmp_path):
    photos = ["--photos", str(place / "shapes"), "--photo-side", "40", "--credits", "me"]
    argv = flags(place, tmp_path / "run", "--steps", "6", "--sample-every", "4", "--hold-out", "0.3", *photos)
    assert main(argv) == 0
    upscaled = load_upscaler(tmp_path / "run" / "upscaler-16.safetensors")
    assert (upscaled.image_size, upscaled.credits) == (16, ["me"])
    record = upscaled.training
    assert (record["steps"], record["samples"], record["config"]["crop"]) == (6, 48, 8)
    assert record["loss"] > 0 and record["validation_loss"] > 0 and str(place) not in str(record)
    rows = list(csv.DictReader((tmp_path / "run" / "loss.csv").open()))
    assert [row["step"] for row in rows if row["validation_loss"]] == ["4", "6"]
    left = {path.name for path in (tmp_path / "run").glob("*.png")}
    assert left == {"loss.png", "samples-000004.png", "samples-000006.png"}


@pytest.mark.slow
def test_it_learns(place, tmp_path):
    """Fifty steps on shapes already beat the bicubic enlargement that it begins as."""
    argv = flags(place, tmp_path, "--steps", "50", "--hold-out", "0.3", "--lr", "5e-3", "--ema-decay", "0.8")
    assert main([*argv, "--own-share", "0", "--sample-every", "5", "--blur", "0", "--noise", "0"]) == 0
    rows = [row for row in csv.DictReader((tmp_path / "loss.csv").open()) if row["validation_loss"]]
    assert float(rows[-1]["validation_loss"]) < 0.8 * float(rows[0]["validation_loss"])


@pytest.mark.slow
def test_resuming_equals_an_uninterrupted_run(place, tmp_path):
    assert main(flags(place, tmp_path / "whole", "--steps", "6")) == 0
    assert main(flags(place, tmp_path / "cut", "--steps", "6", "--max-minutes", "1e-9")) == 0
    assert 0 < torch.load(tmp_path / "cut" / "state.pt", weights_only=True)["step"] < 6
    torch.rand(7)  # whatever else happened in between
    assert main(["--resume", "--out", str(tmp_path / "cut"), "--max-minutes", "0"]) == 0
    whole, cut = (torch.load(tmp_path / n / "state.pt", weights_only=True) for n in ("whole", "cut"))
    assert whole["step"] == cut["step"] == 6
    for part in ("model", "ema", "optimizer"):
        torch.testing.assert_close(whole[part], cut[part], rtol=0, atol=0)


@pytest.mark.parametrize(
    "extra, sentence",
    [
        (["--checkpoint", ""], "Say whose results"),
        (["--checkpoint", "LARGE"], "draws 32 pixels"),
        (["--crop", "17"], "more than the pictures have pixels"),
        (["--data", "nowhere"], "no training pictures at nowhere"),
        (["--resume"], "nothing to resume"),
    ],
)
def test_mistakes_are_one_sentence(place, tmp_path, capsys, extra, sentence):
    extra = [str(place / "large.safetensors") if word == "LARGE" else word for word in extra]
    assert main(flags(place, tmp_path / "out", *extra)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("upscaler: ") and sentence in error


def test_the_loss_counts_edges():
    truth = noise(1, 3, 8, 8)
    assert restoration_loss(truth, truth, 1.0) == pytest.approx(3e-3)
    assert restoration_loss(truth + 0.5, truth, 1.0) == pytest.approx(0.5 + 2e-3, rel=1e-3)
    checked = truth + 0.5 * (-1.0) ** (torch.arange(8)[:, None] + torch.arange(8))
    assert restoration_loss(checked, truth, 1.0) == pytest.approx(2.5, rel=1e-3)

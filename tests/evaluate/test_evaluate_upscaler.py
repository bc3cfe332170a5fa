"""The measures of an upscaler, on pictures of which the answers are known."""

import json

import pytest
import torch
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.evaluate.upscaler import main, paper_error, resized, restoration, ways
from diffusion.upscaler import Upscaled, Upscaler, UpscalerConfig, save_upscaler
from fruit import draw


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    draw(folder / "data", size=64)
    names = {"subject": ["apple", "pear"], "style": ["flat", "shaded"]}
    save_checkpoint(folder / "tiny.safetensors", tiny_checkpoint(names, []))
    save_checkpoint(folder / "large.safetensors", tiny_checkpoint(names, [], image_size=32))
    upscaled = Upscaled(Upscaler(UpscalerConfig(4, 8, 3)).eval(), 16)
    save_upscaler(folder / "upscaler.safetensors", upscaled)
    return folder


def flags(place, out, *extra) -> list[str]:
    argv = [str(place / "upscaler.safetensors"), "--checkpoint", str(place / "tiny.safetensors")]
    argv += ["--data", str(place / "data"), "--out", str(out), "--hold-out", "0.4"]
    return [*argv, "--count", "6", "--own", "2", "--repeats", "1", *extra]


def test_everything_is_measured_and_shown(place, tmp_path, capsys):
    assert main(flags(place, tmp_path)) == 0
    result = json.loads((tmp_path / "upscaler.json").read_text())
    rows = result["held_out"]
    assert rows["count"] == 6 and set(rows) == {"count", "truth", "bicubic", "lanczos", "upscaler"}
    assert rows["truth"]["edge_width"] < rows["upscaler"]["edge_width"]
    assert rows["upscaler"]["psnr"] == pytest.approx(rows["bicubic"]["psnr"], abs=1)  # not trained
    assert set(result["own_results"]) == {"0.2", "0.6"}
    assert result["cost"]["ratio"] > 0 and result["cost"]["parameters"] < 10_000
    assert Image.open(tmp_path / "upscaler.png").height > 10 * 64
    assert "x a guided call" in capsys.readouterr().out


def test_a_perfect_upscaler_is_found_to_be_perfect():
    truth = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).round() * 2 - 1
    row = restoration({"same": lambda small: truth}, truth, 4)
    assert row["same"]["psnr"] == float("inf") and row["same"]["ssim"] == pytest.approx(1)
    assert row["same"]["edge_width"] == row["truth"]["edge_width"] and row["same"]["paper_error"] == 0


def test_the_error_on_paper_is_of_paper_alone():
    truth = torch.ones(1, 3, 8, 8)
    truth[..., :4] = 0
    assert paper_error(truth - 2 / 127.5, truth) == pytest.approx(2, rel=1e-4)
    assert paper_error(truth.clamp(min=0.5), truth) == 0


def test_all_ways_agree_on_where_a_pixel_lies():
    """A picture of one bright pixel: every way puts it where that pixel is."""
    x = -torch.ones(1, 3, 16, 16)
    x[..., 5, 9] = 1
    upscaled = Upscaled(Upscaler(UpscalerConfig(4, 8, 2)).eval(), 16)
    for way in [*ways(upscaled).values(), resized(Image.Resampling.NEAREST, 64)]:
        light = way(x)[0, 0] + 1
        for axis, middle in ((0, 5.5 * 4 - 0.5), (1, 9.5 * 4 - 0.5)):
            along = light.sum(dim=1 - axis)
            assert (along * torch.arange(64)).sum() / along.sum() == pytest.approx(middle, abs=0.1)


@pytest.mark.parametrize(
    "extra, sentence",
    [
        (["--checkpoint", "LARGE"], "is for pictures of 16 pixels"),
        (["--hold-out", "0"], "No picture is held out"),
        (["--data", "nowhere"], "no training pictures at nowhere"),
    ],
)
def test_mistakes_are_one_sentence(place, tmp_path, capsys, extra, sentence):
    extra = [str(place / "large.safetensors") if word == "LARGE" else word for word in extra]
    assert main(flags(place, tmp_path / "out", *extra)) == 2
    error = capsys.readouterr().err
    assert error.startswith("upscaler: ") and sentence in error and not (tmp_path / "out").exists()

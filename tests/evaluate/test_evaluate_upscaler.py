"""The measures of an upscaler, on pictures of which the answers are known."""

import json

import pytest
import torch
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.classifier import Classifier, ClassifierNet, save_classifier
from diffusion.evaluate.enlargers import enhanced, mended, resized, small_inputs, ways
from diffusion.evaluate.upscaler import kid_of_crops, main, middle, paper_error, restoration
from diffusion.schedule import NoiseSchedule
from diffusion.unet import UNetConfig
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
    save_classifier(folder / "judge.safetensors", untrained_judge())
    save_classifier(folder / "judge-32.safetensors", untrained_judge(32))
    return folder


def untrained_judge(size: int = 16) -> Classifier:
    torch.manual_seed(0)
    shape = {"patch_size": 2, "channels": (32,), "blocks": 1, "attention": (False,), "label_sizes": (2,)}
    network = ClassifierNet(UNetConfig(image_size=size, **shape))
    return Classifier(network.eval(), NoiseSchedule(), {"subject": ["a", "b"]})


def flags(place, out, *extra) -> list[str]:
    argv = [str(place / "upscaler.safetensors"), "--checkpoint", str(place / "tiny.safetensors")]
    argv += ["--data", str(place / "data"), "--out", str(out), "--hold-out", "0.4"]
    return [*argv, "--count", "6", "--own", "2", "--repeats", "1", *extra]


def test_everything_is_measured_and_shown(place, tmp_path, capsys):
    assert main(flags(place, tmp_path, "--judge", str(place / "judge.safetensors"))) == 0
    result = json.loads((tmp_path / "upscaler.json").read_text())
    rows = result["held_out"]["16"]
    assert list(result["held_out"]) == ["4", "8", "16", "16, JPEG 30"]
    assert rows["count"] == 6
    assert set(rows) == {"count", "truth", "bicubic", "lanczos", "enhanced", "upscaler", "mended"}
    assert rows["truth"]["edge_width"] < rows["upscaler"]["edge_width"]
    assert rows["upscaler"]["psnr"] == pytest.approx(rows["bicubic"]["psnr"], abs=1)  # not trained
    assert set(result["own_results"]) == {"0.2", "0.6"}
    assert result["cost"]["ratio"] > 0 and result["cost"]["parameters"] < 10_000
    for rows in result["own_results"].values():
        assert all(set(row) == {"edge_width", "kid", "kid_error"} for row in rows.values())
    assert Image.open(tmp_path / "upscaler.png").height > 10 * 64
    assert "x a guided call" in capsys.readouterr().out


def test_a_perfect_upscaler_is_found_to_be_perfect():
    truth = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).round() * 2 - 1
    row = restoration({"same": lambda small: truth}, truth, truth)
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
        for axis, centre in ((0, 5.5 * 4 - 0.5), (1, 9.5 * 4 - 0.5)):
            along = light.sum(dim=1 - axis)
            assert (along * torch.arange(64)).sum() / along.sum() == pytest.approx(centre, abs=0.1)


@pytest.mark.parametrize(
    "extra, sentence",
    [
        (["--checkpoint", "LARGE"], "is for pictures of 16 pixels"),
        (["--judge", "JUDGE"], "is for pictures of 32 pixels"),
        (["--mend", "2"], "--mend: must be a number from 0 to 1"),
        (["--hold-out", "0"], "No picture is held out"),
        (["--data", "nowhere"], "no training pictures at nowhere"),
    ],
)
def test_mistakes_are_one_sentence(place, tmp_path, capsys, extra, sentence):
    files = {"LARGE": "large.safetensors", "JUDGE": "judge-32.safetensors"}
    extra = [str(place / files[word]) if word in files else word for word in extra]
    assert main(flags(place, tmp_path / "out", *extra)) == 2
    error = capsys.readouterr().err
    assert error.startswith("upscaler: ") and sentence in error and not (tmp_path / "out").exists()


def test_kid_of_crops_is_smallest_for_the_pictures_themselves():
    judge, truth = (
        untrained_judge(),
        torch.rand(12, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1,
    )
    groups = [str(i) for i in range(12)]
    other = kid_of_crops(judge, truth * 0.2, truth, groups)["kid"]
    assert abs(kid_of_crops(judge, truth, truth, groups)["kid"]) < other


def test_the_middle_is_four_squares():
    x = torch.arange(64.0).reshape(1, 1, 8, 8).expand(2, 3, 8, 8)
    crops = middle(x, 2)
    assert crops.shape == (8, 3, 2, 2)
    assert crops[::2, 0, 0, 0].tolist() == [18, 20, 34, 36]


def test_small_inputs_are_means_of_the_truth():
    truth = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    small = small_inputs(truth, 16)
    assert {name: x.shape[-1] for name, x in small.items()} == {"4": 4, "8": 8, "16": 16, "16, JPEG 30": 16}
    for side in (4, 8, 16):
        mean = torch.nn.functional.avg_pool2d(truth, 64 // side)
        torch.testing.assert_close(small[str(side)], mean, atol=1 / 255, rtol=0)


def test_mended_at_strength_0_is_the_upscaler_and_details_are_lifted():
    upscaled, checkpoint = Upscaled(Upscaler(UpscalerConfig(4, 8, 2)).eval(), 16), tiny_checkpoint()
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    enlarge = ways(upscaled)
    assert torch.equal(mended(checkpoint, upscaled, 0.0, 0)(x), enlarge["upscaler"](x))
    assert not torch.equal(mended(checkpoint, upscaled, 0.3, 0)(x), enlarge["upscaler"](x))
    assert enhanced(64)(x).std() > enlarge["bicubic"](x).std()

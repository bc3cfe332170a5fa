"""--class-names and --fit mean the same to every training, and to an evaluation."""

import pytest
from PIL import Image
from safetensors import safe_open
from test_sources import SYNSETS, imagenet

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.classifier import load_classifier
from diffusion.evaluate.__main__ import main as evaluate
from diffusion.evaluate.judge import main as train_judge
from diffusion.train import config, upscaler
from diffusion.train.autoencoder import main as train_autoencoder
from diffusion.train.data import load_pictures
from diffusion.train.run import main as train
from diffusion.train.upscaler import main as train_upscaler

CALLED = ["crane (n02012849)", "crane (n03126707)", "tench"]
CPU = ["--precision", "fp32", "--device", "cpu", "--workers", "1"]
TRAININGS = {
    "run": (train, ["--channels", "32", "--attention", "0", *CPU]),
    "autoencoder": (train_autoencoder, ["--channels", "8", *CPU]),
    "upscaler": (train_upscaler, ["--factor", "2", "--crop", "4", "--own-results", "0", *CPU]),
    "judge": (train_judge, ["--channels", "32", "--patch-size", "2", "--precision", "fp32"]),
}


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "names.txt").write_text(SYNSETS)
    return str(imagenet(tmp_path / "tree"))


@pytest.mark.parametrize("name", TRAININGS)
def test_every_training_reads_pictures_in_the_same_way(tree, tmp_path, monkeypatch, capsys, name):
    sets = []

    def spied(*args):
        sets.append(load_pictures(*args))
        return sets[-1]

    for module in (config, upscaler):
        monkeypatch.setattr(module, "load_pictures", spied)
    main, small = TRAININGS[name]
    out = "judge.safetensors" if name == "judge" else "out"
    words = ["--data", tree, "--image-size", "8", "--steps", "1", "--batch-size", "2", "--fit", "crop"]
    words += [*small, *(["--photos", tree, "--photo-side", "8"] if name == "upscaler" else [])]
    named = ["--class-names", str(tmp_path / "names.txt"), "--out", str(tmp_path / out)]
    assert main([*words, *named]) == 0
    assert sets[0].label_names == {"class": CALLED}
    for pictures in sets:
        assert (pictures.pixels[:, 0] > 250).all() and (pictures.pixels[:, 1:] < 5).all(), "white beside it"
    (file,) = [*tmp_path.glob("out/*.safetensors"), *tmp_path.glob("judge.safetensors")]
    with safe_open(file, "pt") as weights:
        about = str(weights.metadata())
    assert str(tmp_path) not in about and ("names.txt" in about or name == "judge"), "records travel"
    assert main([*words, "--class-names", "none.txt", "--out", str(tmp_path / "b")]) == 2
    assert "Cannot read none.txt" in capsys.readouterr().err


def test_what_was_trained_with_names_is_evaluated_with_them(tree, tmp_path, capsys):
    judge = [*TRAININGS["judge"][1], "--image-size", "16", "--steps", "1", "--batch-size", "2"]
    names, file = ["--class-names", str(tmp_path / "names.txt")], str(tmp_path / "judge.safetensors")
    assert train_judge(["--data", tree, "--out", file, *names, *judge]) == 0
    assert load_classifier(file).label_names == {"class": CALLED}
    checkpoint = tiny_checkpoint({"class": CALLED}, [(name,) for name in CALLED])
    save_checkpoint(tmp_path / "tiny.safetensors", checkpoint)
    words = [
        str(tmp_path / "tiny.safetensors"),
        "--data",
        tree,
        "--judge",
        file,
        "--out",
        str(tmp_path / "a"),
    ]
    words += ["--parts", "sheet", "--steps", "1", "--count", "3", "--precision", "fp32"]
    assert evaluate(words) == 2 and "other labels" in capsys.readouterr().err
    assert evaluate([*words, *names]) == 0
    assert Image.open(tmp_path / "a" / "sheet.jpg").width > 0

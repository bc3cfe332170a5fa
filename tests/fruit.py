"""A folder of drawn fruit, with an untrained checkpoint and an untrained judge for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from conftest import tiny_checkpoint
from diffusion import Checkpoint, NoiseSchedule, UNetConfig, save_checkpoint
from diffusion.classifier import Classifier, ClassifierNet, save_classifier
from diffusion.evaluate.study import Study
from diffusion.train.config import TrainConfig
from diffusion.train.data import PictureSet, load_pictures

TINY = TrainConfig(
    out="", image_size=16, patch_size=2, channels=(32,), attention=(0,), blocks=1,
    batch_size=8, steps=3, warmup=2, precision="fp32",
)  # fmt: skip
COLOURS = {"apple": "red", "pear": "green", "plum": "purple"}


def draw(folder: Path, subjects=COLOURS, styles=("flat", "shaded"), things=5, size=32) -> Path:
    """<subject>/<style>/<film>-1.png; with one style named "", <class>/<film>-1.png."""
    for subject, colour in subjects.items():
        for style in styles:
            (folder / subject / style).mkdir(parents=True)
            for i in range(things):
                image = Image.new("RGB", (size, size), "white")
                shape = ImageDraw.Draw(image)
                shape.ellipse([1 + i, 1, size - 2, size - 2 - i], fill=colour)
                if style == "shaded":
                    shape.ellipse([8, 8, 14 + i, 14], fill="white")
                image.save(folder / subject / style / f"{'abcdef'[i]}-1.png")
    return folder


def classifier_for(pictures: PictureSet) -> Classifier:
    torch.manual_seed(0)
    sizes = tuple(len(names) for names in pictures.label_names.values())
    config = UNetConfig(16, 2, (32,), 1, (False,), label_sizes=sizes)
    return Classifier(
        ClassifierNet(config).eval().requires_grad_(False), NoiseSchedule(), pictures.label_names
    )


def model_for(pictures: PictureSet) -> Checkpoint:
    checkpoint = tiny_checkpoint(pictures.label_names, pictures.train().combinations())
    checkpoint.training = {"config": {"augment": "drawing"}, "steps": 7}
    return checkpoint


def fruit_folder(folder: Path) -> Path:
    """`folder` with data, checkpoint.safetensors and judge.safetensors, two label kinds."""
    pictures = load_pictures([draw(folder / "data")], 32)
    save_checkpoint(folder / "checkpoint.safetensors", model_for(pictures))
    save_classifier(folder / "judge.safetensors", classifier_for(pictures))
    return folder


def study_of(pictures: PictureSet, **settings) -> Study:
    """A few pictures, two steps."""
    settings = {"count": 12, "steps": 2, "precision": "fp32"} | settings
    return Study(model_for(pictures), classifier_for(pictures), pictures, **settings)


def evaluate_command(folder: Path, out: Path, *extra: str) -> list[str]:
    return [
        str(folder / "checkpoint.safetensors"), "--data", str(folder / "data"),
        "--judge", str(folder / "judge.safetensors"), "--out", str(out),
        "--steps", "2", "--count", "6", "--hold-out", "0.4", *extra,
    ]  # fmt: skip


def ablate_command(fruit: Path, out: Path, what: str, *extra: str) -> list[str]:
    words = ["--data", str(fruit / "data"), "--judge", str(fruit / "judge.safetensors"), "--hold-out", "0.8"]
    words += ["--out", str(out), "--count", "8", *extra]
    return [what, *([str(fruit / "checkpoint.safetensors")] if what == "sampling" else []), *words]


def draw_shapes(folder: Path) -> Path:
    """Circles and squares in two colours, six of each."""
    for shape in ("ellipse", "rectangle"):
        for style in ("red", "blue"):
            (folder / shape / style).mkdir(parents=True)
            for i in range(6):
                image = Image.new("RGB", (32, 32), "white")
                getattr(ImageDraw.Draw(image), shape)([3 + i, 3, 25 + i, 25], fill=style)
                image.save(folder / shape / style / f"{i}x-1.png")
    return folder


# What the fruit were called before: a checkpoint of that time is `vague`.
NAMES = {"apple": {"was": "fruit"}, "pear": {"aliases": ["nashi"], "was": None}, "plum": {}}


def vague(subjects=("fruit", "pear"), styles=("flat",)) -> Checkpoint:
    """A checkpoint of an older table: an apple was a fruit, nobody knew plums, nor shaded pictures."""
    labels = {"subject": list(subjects), "style": list(styles)}
    return tiny_checkpoint(labels, [(subject, style) for subject in subjects for style in styles])


def drawn_fruit(folder: Path) -> Path:
    """A `fruit_folder` with a few drawings by hand in hands/."""
    fruit_folder(folder)
    (folder / "hands").mkdir()
    for name in ("apple-thin-1", "apple-thick-1", "nashi-thin-1", "wild_boar-thin-1"):
        image = Image.new("RGB", (90, 60), "white")
        ImageDraw.Draw(image).ellipse((10, 10, 60, 50), outline="black", width=3 if "thick" in name else 1)
        image.save(folder / "hands" / f"{name}.png")
    return folder


def drawn_study(folder: Path) -> Study:
    """A study of a `drawn_fruit` with four cells and two strengths."""
    found = study_of(load_pictures([folder / "data"], 32, 0.4), cells=4, strengths=(0.6, 1.0))
    found.checkpoint.names = {"pear": {"aliases": ["nashi"]}}
    return replace(found, hands=folder / "hands", names=NAMES)

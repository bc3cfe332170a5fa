"""A tiny training on made-up shapes."""

from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from diffusion.train.config import configure
from diffusion.train.data import load_pictures
from diffusion.train.run import parser
from diffusion.train.trainer import Trainer

TINY = [
    "--image-size", "16", "--patch-size", "2", "--channels", "32", "--attention", "0", "--blocks", "1",
    "--batch-size", "8", "--warmup", "2", "--log-every", "2", "--precision", "fp32", "--device", "cpu",
]  # fmt: skip
CPU = torch.device("cpu")


def draw_shapes(folder: Path) -> Path:
    """Circles and squares in two colours, six of each: made up, and quickly learnt."""
    for shape in ("ellipse", "rectangle"):
        for style in ("red", "blue"):
            (folder / shape / style).mkdir(parents=True)
            for i in range(6):
                image = Image.new("RGB", (32, 32), "white")
                getattr(ImageDraw.Draw(image), shape)([4 + i, 4, 20 + i, 20 + i], fill=style)
                image.save(folder / shape / style / f"{i}x.png")
    return folder


def flags(shapes, out, *extra) -> list[str]:
    return ["--data", str(shapes), "--out", str(out), *TINY, *extra]


def trainer(shapes, **changes) -> Trainer:
    given = vars(parser().parse_args(flags(shapes, "unused")))
    given.pop("resume")
    config = replace(configure(given, resume=False), **changes)
    return Trainer(config, load_pictures([shapes], 32, config.hold_out), CPU)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)

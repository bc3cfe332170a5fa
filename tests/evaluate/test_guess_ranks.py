"""How often drawings are named right."""

import torch
from PIL import Image, ImageDraw

from diffusion import NoiseSchedule
from diffusion.classifier import Classifier
from diffusion.evaluate.guesses import ranks, table
from diffusion.evaluate.hands import read_hands

NAMES = ["red", "green", "blue"]


class ByColour(torch.nn.Module):
    """The most of a channel, the likelier that colour's name."""

    class config:
        image_size = 8

    def forward(self, x, t):
        return [x.mean(dim=(2, 3))]


def test_a_rank_counts_the_likelier_names(tmp_path):
    for name, colour in {
        "red-pen-1": (200, 90, 10),
        "green-pen-1": (200, 90, 10),
        "blue-thin-1": (200, 90, 10),
        "house-thin-1": (1, 1, 1),
    }.items():
        image = Image.new("RGB", (40, 40), "white")
        ImageDraw.Draw(image).rectangle([5, 5, 35, 35], fill=colour)
        image.save(tmp_path / f"{name}.png")
    judge = Classifier(ByColour(), NoiseSchedule(), {"subject": NAMES})
    assert ranks(judge, read_hands(tmp_path)) == {"pen": [1, 0], "thin": [2]}


def test_the_table_counts_those_among_the_first_few():
    *_, pen, thin, every = table({"thin": [3, 12], "pen": [0, 4]}).splitlines()
    assert pen == "| pen | 2 | 50% | 50% | 100% | 100% |"
    assert thin == "| thin | 2 | 0% | 0% | 50% | 50% |"
    assert every == "| **all** | 4 | 25% | 25% | 75% | 75% |"

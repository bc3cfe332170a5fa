"""Drawings by hand: by their names, by habit, by seed; what an evaluation writes of them."""

import re
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw

from diffusion import images
from diffusion.errors import DoodleError
from diffusion.evaluate.concepts import concepts, photos
from diffusion.evaluate.figures import painted
from diffusion.evaluate.hands import by_hand, hands, read_hands, seeds
from diffusion.evaluate.report import render
from fruit import drawn_fruit, drawn_study, vague


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return drawn_fruit(tmp_path_factory.mktemp("fruit"))


@pytest.fixture
def study(fruit):
    return drawn_study(fruit)


def test_drawings_by_hand_are_known_by_their_names(study, fruit, tmp_path):
    assert [(hand.what, hand.habit) for hand in read_hands(fruit / "hands")] == [
        ("apple", "thick"), ("apple", "thin"), ("nashi", "thin"), ("wild boar", "thin"),
    ]  # fmt: skip
    drawn, hand_of, left_out = by_hand(study)
    assert left_out == {"wild boar": 1} and len(hand_of) == len(drawn) == 6  # two styles each
    assert drawn.labels.tolist() == [[0, 0], [0, 1], [0, 0], [0, 1], [1, 0], [1, 1]]  # a nashi is a pear
    assert drawn.names[0] == "apple-thick-1, flat" and drawn.of[:2] == ["apple-thick-1"] * 2
    one = images.prepare(images.load(fruit / "hands" / "apple-thin-1.png"), 16)
    raw = by_hand(replace(study, colour_in=False))[0]
    assert torch.equal(raw.x0[2:3], one.x0)
    Image.new("RGB", (9, 9)).save(tmp_path / "apple.png")
    with pytest.raises(DoodleError, match="should be named"):
        read_hands(tmp_path)


def test_each_is_painted_at_the_strength_that_the_page_begins_with(study, tmp_path):
    """And stands where it stood, whatever is painted together."""
    for name, how in (("thick", {"fill": "red"}), ("thin", {"outline": "black"})):
        image = Image.new("RGB", (80, 60), "white")
        ImageDraw.Draw(image).ellipse((10, 10, 60, 50), **how)
        image.save(tmp_path / f"apple-{name}-1.png")
    study = replace(study, colour_in=False, hands=tmp_path)
    drawn, _, _ = by_hand(study)
    assert drawn.usual == [0.6, 0.6, 1.0, 1.0] and drawn.strengths() == {"0.6": 2, "1": 2}
    assert set(by_hand(replace(study, colour_in=True))[0].usual) == {0.6}, "coloured in, they are colours"
    mixed = replace(drawn.subset(torch.tensor([True, False, True, True])), usual=[0.6, 1.0, 0.6])
    x0 = painted(study, mixed, None, "test")
    for i, strength in enumerate(mixed.usual):
        one = torch.arange(3) == i
        torch.testing.assert_close(x0[one], painted(study, mixed.subset(one), strength, "test"))


def test_a_checkpoint_of_other_names_is_told_them_and_judged_by_the_new_ones(study):
    drawn, _, left_out = by_hand(replace(study, checkpoint=vague()))
    assert left_out == {"nashi": 1, "wild boar": 1}
    assert drawn.told.tolist() == [[0, 0], [0, 0]] and drawn.labels.tolist() == [[0, 0], [0, 0]]


def test_hands_by_habit(study, tmp_path):
    study.out = tmp_path
    result = hands(study)
    assert (result["drawings"], result["pictures"]) == (3, 6)
    assert {habit: row["drawings"] for habit, row in result["habits"].items()} == {"thick": 1, "thin": 2}
    assert Image.open(tmp_path / "hands.jpg").width > 200
    assert hands(replace(study, hands=None)) == {"drawings": 0, "pictures": 0, "left out": {}}


def test_the_seed_is_suggested_by_the_rule(study, monkeypatch):
    drawn, _, _ = by_hand(study)
    spotted = torch.ones(3, 16, 16)
    spotted[:, 0, 0] = -1

    def paint(x0, labels, strength, given, what):
        return torch.stack([torch.ones(3, 16, 16) if seed in (3, 5) else spotted for seed in given])

    study.paint = paint
    monkeypatch.setattr("diffusion.evaluate.hands.figures", lambda study, x0, drawn: {
        "speck": (x0.amin(dim=(1, 2, 3)) < 0).double(), "as asked": torch.zeros(len(x0))
    })  # fmt: skip
    result = seeds(study)
    assert result["suggested"] == 3 and list(result["seeds"]) == [str(i) for i in range(16)]
    assert result["seeds"]["0"]["speck"]["value"] == 1 and result["seeds"]["5"]["speck"]["value"] == 0


def test_sections_come_with_their_parts(study, tmp_path):
    study.out = tmp_path
    about = {
        "checkpoint": "c",
        "judge": {"file": "j", "accuracy": {}},
        "targets": [],
        "seconds": {"hands": 1},
    }
    about["settings"] = {"steps": 2, "guidance": 2.0, "seed": 0, "precision": "fp32"}
    page = render(
        "evaluation.md", **about, hands=hands(study), photos=photos(study), concepts=concepts(study)
    )
    assert re.findall("^## .*", page, re.MULTILINE) == [
        "## Drawings by hand", "## Brightness of photos", "## Everything from an outline",
    ]  # fmt: skip
    assert "Left out, since checkpoint or judge do not know them: wild boar." in page
    assert "\n\n\n" not in page and page.endswith("Time taken: hands 1 s.\n")

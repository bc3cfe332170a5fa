"""Drawings of held-out pictures are framed and judged as the page does it, beside what learnt nothing."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from diffusion.evaluate.concepts import concepts, one_of_each, photos
from diffusion.evaluate.drawings import cells, crude, drawings, seen
from diffusion.evaluate.figures import averaged, figures, summary
from diffusion.evaluate.fit import Vocabulary
from diffusion.evaluate.targets import targets
from fruit import NAMES, drawn_fruit, drawn_study, vague


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    return drawn_fruit(tmp_path_factory.mktemp("fruit"))


@pytest.fixture
def study(fruit):
    return drawn_study(fruit)


# ------------------------------------------------------------------ words


def test_each_checkpoint_is_told_its_own_name(study):
    words = Vocabulary(vague(), NAMES)
    assert [words.subject(name) for name in ("apple", "pear", "plum")] == ["fruit", "pear", None]
    assert Vocabulary(vague(["nashi"]), NAMES).subject("pear") == "nashi"
    rows, known = words.rows(torch.tensor([[0, 0], [1, 1], [2, 0], [1, 0]]), study.pictures.label_names)
    assert rows.tolist() == [[0, 0], [1, 0]] and known.tolist() == [True, False, False, True]
    assert words.rows(torch.tensor([[2, 1]]), study.pictures.label_names)[0].shape == (0, 2)


# ------------------------------------------------------------------ pictures


def test_cells_are_held_out_groups_in_turn(study):
    found = cells(study)
    assert len(found) == 4 and found.held_out.all() and len(set(found.groups)) == 4
    assert sorted(found.labels[:, 1].tolist()) == [0, 0, 1, 1]
    assert torch.equal(found.pixels, cells(study).pixels)


def test_drawing_and_truth_are_seen_through_one_frame(study):
    drawn, known = crude(study, cells(study), "outline")
    assert known.all() and drawn.x0.shape == drawn.truth.shape == (4, 3, 16, 16)
    assert drawn.x0.min() >= -1 and drawn.x0.max() <= 1 and len(set(drawn.names)) == 4
    again, _ = crude(study, cells(study), "outline")
    assert torch.equal(drawn.x0, again.x0)
    page = Image.new("RGB", (20, 20), "white")
    page.paste("black", (0, 0, 10, 20))
    view = seen(page, (-10, 0, 10, 20), 20)  # half of it lies beyond the edge
    assert view.getpixel((2, 9)) == (255, 255, 255) and view.getpixel((17, 9)) == (0, 0, 0)
    assert seen(page, (0, 0, 20, 20), 20).tobytes() == page.tobytes()


def test_the_same_drawings_for_a_checkpoint_that_knows_less(study):
    pictures = cells(study)
    every, _ = crude(replace(study, colour_in=False), pictures, "outline")
    less = replace(study, checkpoint=vague(), colour_in=False)
    some, known = crude(less, pictures, "outline")
    assert 0 < len(some) < 4 and some.names == [n for n, yes in zip(every.names, known.tolist()) if yes]
    assert torch.equal(some.x0, every.x0[known]) and some.seeds == [i for i in range(4) if known[i]]
    assert torch.equal(some.labels, every.labels[known])  # the judge still asks for what it is


def test_figures_of_the_truth_itself(study):
    drawn, _ = crude(study, cells(study), "filled")
    found = figures(study, drawn.truth, drawn)
    assert found["pixels"].tolist() == [0.0] * 4 and found["features"].max() == 0
    own = figures(study, drawn.drawn, drawn)
    assert own["lines kept"].tolist() == [1.0] * 4 and own["invented edges"].max() == 0
    asked = own["subject"] * own["style"]
    assert torch.equal(own["as asked"], asked)


def test_lines_are_those_that_were_drawn_not_what_is_coloured_in(study):
    coloured, _ = crude(study, cells(study), "outline")
    raw, _ = crude(replace(study, colour_in=False), cells(study), "outline")
    assert not torch.equal(coloured.x0, coloured.drawn) and torch.equal(coloured.drawn, raw.x0)
    assert (coloured.x0[:, :, 0, 0] > 0.99).all()  # what lies outside is paper, and stays it
    assert torch.equal(raw.x0, raw.drawn) and torch.equal(coloured.truth, raw.truth)
    made = [figures(study, raw.truth, some)["invented edges"] for some in (coloured, raw)]
    assert torch.equal(*made)


def test_several_pictures_of_one_drawing_are_averaged_before_the_error():
    values = torch.tensor([1.0, 1.0, 0.0, 0.0, float("nan")])
    assert averaged(values, ["a", "a", "b", "b", "c"]) == {"value": 0.5, "error": pytest.approx(0.5)}
    assert averaged(values[4:], ["c"]) is None
    assert summary({"x": values}, ["a"] * 5)["x"]["value"] == 0.5


def test_drawings_stand_beside_what_learnt_nothing(study):
    result = drawings(study)
    assert list(result["kinds"]) == ["outline", "filled", "flat", "unfinished"]
    assert result["cells"] == 4 and result["left out"] == 0 and result["coloured in"]
    rows = result["kinds"]["outline"]
    assert list(rows["strengths"]) == ["0.6", "1"] and rows["drawing"]["lines kept"]["value"] == 1
    assert rows["true picture"]["pixels"]["value"] == 0 and rows["nearest seen"]["pixels"]["value"] > 0
    assert len(study.each["drawings, outline, 0.6"]["names"]) == 4
    named = [target["name"] for target in targets({"drawings": result})]
    assert len(named) == 7 and "outline of held-out pictures at 0.6: lines kept" in named
    assert "filled at 0.6: distance to the true picture - that of the drawing" in named


def test_the_targets_are_of_the_strength_that_the_page_begins_with(study, tmp_path):
    study = replace(study, colour_in=False, out=tmp_path)  # and outlines begin at 1
    result = drawings(study)
    assert {kind: rows["shown"] for kind, rows in result["kinds"].items()}["outline"] == "1"
    named = [target["name"] for target in targets({"drawings": result})]
    assert "outline of held-out pictures at 1: lines kept" in named
    first = drawings(replace(study, strengths=(0.3, 0.4)))["kinds"]["outline"]["shown"]
    assert first == "0.3", "where the page's is not measured"


def test_photos_as_bright_as_they_are(study):
    study.paint = lambda x0, labels, *rest, **_: torch.zeros(len(labels), 3, 16, 16)
    result = photos(study)
    assert result["pictures"] == 4 and result["guidance"] == 2
    assert result["picture"]["generated"] == result["thing"]["generated"] == 0.5
    assert result["ratio"] == pytest.approx(0.5 / result["picture"]["real"])
    (target,) = targets({"photos": result})
    assert not target["met"] and target["value"] == pytest.approx(1 - result["ratio"])


def test_every_subject_once(study, tmp_path):
    study.out = tmp_path
    found = one_of_each(study)
    assert found.labels[:, 0].sort().values.tolist() == [0, 1, 2] and found.held_out.all()
    result = concepts(study)
    assert (result["pictures"], result["held out"], result["pages"]) == (3, 3, 1)
    assert Image.open(tmp_path / "concepts-1.jpg").size == (300, 62)

"""Drawings are framed, painted and judged as the page does it; what is planted is found."""

import json
import re
from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageDraw

from conftest import tiny_checkpoint
from diffusion import images, save_checkpoint
from diffusion.errors import DoodleError
from diffusion.evaluate import compare
from diffusion.evaluate.__main__ import main
from diffusion.evaluate.compare import differences
from diffusion.evaluate.concepts import concepts, one_of_each, photos
from diffusion.evaluate.drawings import cells, crude, drawings, seen
from diffusion.evaluate.figures import averaged, figures, summary
from diffusion.evaluate.fit import Vocabulary
from diffusion.evaluate.hands import by_hand, hands, read_hands, seeds
from diffusion.evaluate.report import render
from diffusion.evaluate.sweep import main as sweep_main
from diffusion.evaluate.targets import targets
from diffusion.train.data import load_pictures
from fruit import evaluate_command, fruit_folder, study_of

NAMES = {"apple": {"was": "fruit"}, "pear": {"aliases": ["nashi"], "was": None}, "plum": {}}


@pytest.fixture(scope="module")
def fruit(tmp_path_factory):
    folder = fruit_folder(tmp_path_factory.mktemp("fruit"))
    (folder / "hands").mkdir()
    for name in ("apple-thin-1", "apple-thick-1", "nashi-thin-1", "wild_boar-thin-1"):
        image = Image.new("RGB", (90, 60), "white")
        ImageDraw.Draw(image).ellipse((10, 10, 60, 50), outline="black", width=3 if "thick" in name else 1)
        image.save(folder / "hands" / f"{name}.png")
    return folder


@pytest.fixture
def study(fruit):
    found = study_of(load_pictures([fruit / "data"], 32, 0.4), cells=4, strengths=(0.6, 1.0))
    found.checkpoint.names = {"pear": {"aliases": ["nashi"]}}
    return replace(found, hands=fruit / "hands", names=NAMES)


def vague(study, subjects=("fruit", "pear"), styles=("flat",)):
    """A checkpoint of an older table: an apple was a fruit, nobody knew plums, nor shaded pictures."""
    labels = {"subject": list(subjects), "style": list(styles)}
    return tiny_checkpoint(labels, [(subject, style) for subject in subjects for style in styles])


# ------------------------------------------------------------------ words


def test_each_checkpoint_is_told_its_own_name(study):
    words = Vocabulary(vague(study), NAMES)
    assert [words.subject(name) for name in ("apple", "pear", "plum")] == ["fruit", "pear", None]
    assert Vocabulary(vague(study, ["nashi"]), NAMES).subject("pear") == "nashi"
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
    less = replace(study, checkpoint=vague(study), colour_in=False)
    some, known = crude(less, pictures, "outline")
    assert 0 < len(some) < 4 and some.names == [n for n, yes in zip(every.names, known.tolist()) if yes]
    assert torch.equal(some.x0, every.x0[known]) and some.seeds == [i for i in range(4) if known[i]]
    assert torch.equal(some.labels, every.labels[known])  # the judge still asks for what it is


def test_figures_of_the_truth_itself(study):
    drawn, _ = crude(study, cells(study), "filled")
    found = figures(study, drawn.truth, drawn)
    assert found["pixels"].tolist() == [0.0] * 4 and found["features"].max() == 0
    own = figures(study, drawn.x0, drawn)
    assert own["lines kept"].tolist() == [1.0] * 4 and own["invented edges"].max() == 0
    asked = own["subject"] * own["style"]
    assert torch.equal(own["as asked"], asked)


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


# ------------------------------------------------------------------ by hand


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


def test_a_checkpoint_of_other_names_is_told_them_and_judged_by_the_new_ones(study):
    drawn, _, left_out = by_hand(replace(study, checkpoint=vague(study)))
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


# ------------------------------------------------------------------ from nothing; everything


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


# ------------------------------------------------------------------ two of them


def test_differences_are_paired():
    a = {
        "x": {
            "names": ["p", "q", "r"],
            "of": ["p", "q", "r"],
            "figures": {"subject": [0, 0, 1], "s": [None] * 3},
        }
    }
    b = {
        "x": {
            "names": ["r", "q", "z"],
            "of": ["r", "q", "z"],
            "figures": {"subject": [1, 1, 0], "s": [1] * 3},
        }
    }
    found = differences(a, b)["x"]
    assert found["pictures"] == 2 and list(found["figures"]) == ["subject"]
    figure = found["figures"]["subject"]
    assert (figure["a"]["value"], figure["b"]["value"]) == (0.5, 1.0)
    assert figure["difference"] == {"value": 0.5, "error": pytest.approx(0.5)}
    assert differences(a, {"y": b["x"]}) == {}
    assert differences(a, a)["x"]["figures"]["subject"]["difference"] == {"value": 0.0, "error": 0.0}


@pytest.mark.slow
def test_two_checkpoints_of_different_names(fruit, tmp_path, capsys):
    (tmp_path / "names.json").write_text(json.dumps(NAMES))
    save_checkpoint(tmp_path / "old.safetensors", vague(None))
    more = ["--drawings", str(fruit / "hands"), "--cells", "4", "--strengths", "0.6"]
    more += ["--names", str(tmp_path / "names.json")]
    words = evaluate_command(fruit, tmp_path / "both", *more)
    assert main(["--compare", words[0], str(tmp_path / "old.safetensors"), *words[1:]]) == 0
    out = capsys.readouterr().out
    result = json.loads((tmp_path / "both" / "comparison.json").read_text())
    assert (result["a"], result["b"]) == ("checkpoint.safetensors", "old.safetensors")
    assert result["each"]["hands, all"]["pictures"] == 2 and "drawings, outline, 0.6" in result["each"]
    assert "| hands, all | 2 |" in out
    # The same from what both evaluations left, which needs neither judge nor data.
    folders = [str(tmp_path / "both" / which) for which in "ab"]
    assert main(["--compare", *folders, "--out", str(tmp_path / "again")]) == 0
    assert json.loads((tmp_path / "again" / "comparison.json").read_text()) == result
    page = (tmp_path / "both" / "b" / "EVALUATION.md").read_text()
    assert "## Drawings by hand" in page and "are left out" in page and "## Seeds" not in page
    assert "(drawings-outline.jpg)" in page and (tmp_path / "both" / "b" / "drawings-outline.jpg").exists()


@pytest.mark.slow
def test_a_sweep(fruit, tmp_path, capsys):
    words = [str(fruit / "checkpoint.safetensors"), "--data", str(fruit / "data"), "--hold-out", "0.4"]
    words += ["--judge", str(fruit / "judge.safetensors"), "--out", str(tmp_path), "--cells", "3"]
    words += ["--drawings", str(fruit / "hands"), "--strengths", "0.6", "1", "--guidances", "1", "2"]
    assert sweep_main([*words, "--step-counts", "2"]) == 0
    rows = json.loads((tmp_path / "sweep.json").read_text())["rows"]
    assert [(row["strength"], row["guidance"], row["steps"]) for row in rows] == [
        (0.6, 1, 2), (0.6, 2, 2), (1, 1, 2), (1, 2, 2),
    ]  # fmt: skip
    assert list(rows[0]["inputs"]) == ["outline", "filled", "bad picture", "by hand"]
    text = (tmp_path / "SWEEP.md").read_text()
    assert "| strength | guidance | steps | outline | filled | bad picture | by hand |" in text
    assert "| 0.6 | 1 | 2 |" in capsys.readouterr().out and "**" in text


def test_evaluations_that_cannot_be_compared(tmp_path, capsys):
    for which, seed in (("a", 0), ("b", 1)):
        (tmp_path / which).mkdir()
        about = {"checkpoint": which, "judge": {}, "settings": {"seed": seed}, "each": {}}
        (tmp_path / which / "pictures.json").write_text(json.dumps(about))
    folders = [str(tmp_path / which) for which in "ab"]
    for words, message in {
        (*folders,): "have different seeds: they cannot be compared.",
        (folders[0], folders[0]): "have no picture in common.",
        (folders[0], "x.safetensors"): "To evaluate x.safetensors, --data and --judge are needed.",
        (folders[0], str(tmp_path)): "Was a part about drawings run?",
    }.items():
        assert main(["--compare", *words, "--out", str(tmp_path / "out")]) == 2
        assert message in capsys.readouterr().err
    (tmp_path / "a" / "pictures.json").write_text("{")
    with pytest.raises(DoodleError, match="is damaged"):
        compare.read_pictures(tmp_path / "a")


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

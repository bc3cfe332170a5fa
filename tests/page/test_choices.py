"""What there is to choose from: checkpoints, labels, example drawings."""

from __future__ import annotations

from dataclasses import replace

import pytest

gr = pytest.importorskip("gradio")

from app_helpers import texts
from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.page import app, choices
from diffusion.page.controls import selector_updates

CIFAR = {"class": ["airplane", "cat"]}


@pytest.fixture(scope="module")
def checkpoints():
    return {"tiny": tiny_checkpoint()}


# ---- choices


def test_a_subject_offers_only_the_styles_it_was_seen_in(checkpoints):
    ckpt = checkpoints["tiny"]
    assert choices.label_choices(ckpt, ["apple"]) == ["photo", "noto", "fluent-3d"]
    assert choices.label_choices(ckpt, ["cat"]) == ["noto", "fluent-3d"]
    assert choices.label_choices(ckpt, ["pear"]) == ["photo"]


def test_the_style_stays_where_the_new_subject_has_it(checkpoints):
    ckpt = checkpoints["tiny"]
    assert choices.settle(ckpt, ["cat", "fluent-3d"])[1] == (["noto", "fluent-3d"], "fluent-3d")
    assert choices.settle(ckpt, ["cat", "photo"])[1] == (["noto", "fluent-3d"], "noto")


def test_a_style_that_cannot_be_had_gives_way_to_the_one_seen_most():
    pairs = [
        ("cat", "blob"),
        ("cat", "noto"),
        ("dog", "noto"),
        ("pear", "photo"),
        ("fig", "photo"),
        ("kiwi", "photo"),
    ]
    ckpt = tiny_checkpoint({"subject": ["cat", "dog", "pear"], "style": ["blob", "noto", "photo"]}, pairs)
    assert choices.settle(ckpt, ["cat", "photo"])[1] == (["blob", "noto"], "noto")
    assert choices.settle(ckpt, ["pear", None])[1] == (["photo"], "photo")


def test_a_sentence_says_which_style_stands_in(checkpoints):
    ckpt = checkpoints["tiny"]
    update = selector_updates(ckpt, ["cat", "photo"], count=2)[1]
    assert update["value"] == "noto" and update["info"] == "Never seen as Photo: Rounded for now."
    assert selector_updates(ckpt, ["cat", "fluent-3d"], count=2)[1]["info"] == ""
    assert choices.not_seen(ckpt, "style", "a style of another model", "noto") == ""
    assert choices.not_seen(ckpt, "style", None, "noto") == ""


def test_styles_have_plain_names_and_unknown_ones_their_own():
    assert choices.shown("style", "noto") == "Rounded" and choices.shown("style", "oil-paint") == "Oil paint"
    assert choices.shown("subject", "blob") == "Blob", "only a style has another name"
    assert len(set(choices.PLAIN["style"].values())) == len(choices.PLAIN["style"])


def test_few_names_stand_in_one_list_and_many_by_their_first_letter():
    few = choices.words_of(tiny_checkpoint(CIFAR, []))
    assert few["label"] == "What is it?" and [group["title"] for group in few["groups"]] == [""]
    airplane = choices.PICTURED["airplane"]
    assert few["groups"][0]["words"][0] == {
        "name": "airplane", "shown": "Airplane", "aliases": [], "picture": airplane,
    }  # fmt: skip
    names = [f"{letter}{number}" for letter in "ba" for number in range(30)]
    groups = choices.words_of(tiny_checkpoint({"class": names}, []))["groups"]
    assert [(group["title"], len(group["words"])) for group in groups] == [("A", 30), ("B", 30)]
    assert choices.words_of(tiny_checkpoint({}, []))["groups"] == []


def test_names_stand_by_category_where_the_checkpoint_knows_any(checkpoints):
    known = {"cat": {"category": "animal", "aliases": ["kitty"]}, "apple": {"category": "fruit"}, "pear": {}}
    groups = choices.words_of(replace(checkpoints["tiny"], names=known))["groups"]
    assert [(group["title"], [word["name"] for word in group["words"]]) for group in groups] == [
        ("Animal", ["cat"]), ("Fruit", ["apple"]), ("Other", ["ice cream", "pear"]),
    ]  # fmt: skip
    assert groups[0]["words"][0]["aliases"] == ["kitty"]


def test_a_checkpoint_with_one_kind_hides_the_second_selector():
    updates = selector_updates(tiny_checkpoint(CIFAR, []), ["cat", "noto"], count=2)
    assert updates[0]["value"] == "cat" and updates[0]["visible"]
    assert updates[1]["visible"] is False


def test_a_checkpoint_without_labels_has_a_page(tmp_path):
    save_checkpoint(tmp_path / "plain.safetensors", tiny_checkpoint({}, []))
    assert app.build(tmp_path).fns


def test_example_drawings_are_those_whose_subject_is_known(checkpoints, drawings_folder, monkeypatch):
    monkeypatch.setattr(choices, "DRAWINGS", drawings_folder)
    assert [drawing["subject"] for drawing in choices.example_drawings(checkpoints["tiny"])] == [
        "apple",
        "cat",
    ]


@pytest.mark.parametrize("name, shown", [("fluent-3d", "Fluent 3D"), ("ice cream", "Ice cream")])
def test_labels_are_shown_as_people_write_them(name, shown):
    assert choices.pretty(name) == shown


def test_the_canvas_is_offered_the_colours_of_the_subject(checkpoints):
    ckpt = checkpoints["tiny"]
    typical = choices.offered_colours(ckpt, ["ice cream", "noto"])
    assert typical == {"label": "Typical of ice cream", "colours": ["#f3b4c6", "#e9d9a8", "#c98a4b"]}
    assert choices.offered_colours(ckpt, ["cat", "noto"])["colours"] == [], "none are known"
    assert choices.offered_colours(ckpt, ["a subject of another model", None])["colours"] == []
    assert choices.offered_colours(ckpt, [None])["colours"] == []
    assert choices.offered_colours(tiny_checkpoint({}, []), [])["colours"] == []


@pytest.mark.parametrize("label_names", [CIFAR, {"subject": ["apple"], "style": ["photo"]}])
def test_the_colours_follow_the_subject_where_it_is_the_only_kind_too(label_names, tmp_path):
    save_checkpoint(tmp_path / "a.safetensors", tiny_checkpoint(label_names, []))
    demo = app.build(tmp_path)
    (subject,) = (block._id for block in demo.blocks.values() if getattr(block, "elem_id", "") == "label-0")
    assert [fn.name for fn in demo.fns.values() if (subject, "input") in fn.targets] == ["choose_words"]


# ---- checkpoints on disk


def test_a_damaged_checkpoint_is_named_and_the_others_work(tmp_path):
    save_checkpoint(tmp_path / "good.safetensors", tiny_checkpoint())
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    found, problems = choices.find_checkpoints(tmp_path)
    assert list(found) == ["good"]
    assert len(problems) == 1 and problems[0].startswith("bad.safetensors is damaged")
    assert str(tmp_path) not in problems[0], "the page should not tell where the server keeps its files"
    assert problems[0] in texts(app.build(tmp_path))


def test_the_largest_pictures_come_first(tmp_path):
    for name, size in (("a", 8), ("b", 16), ("c", 16)):
        save_checkpoint(tmp_path / f"{name}.safetensors", tiny_checkpoint(image_size=size))
    assert list(choices.find_checkpoints(tmp_path)[0]) == ["b", "c", "a"]


def test_without_a_checkpoint_the_page_says_how_to_get_one(tmp_path):
    assert app.NO_MODEL in texts(app.build(tmp_path))
    assert app.NO_MODEL in texts(app.build(tmp_path / "missing"))


def test_the_picker_shows_only_where_there_is_a_choice(tmp_path):
    def picker():
        parts = app.build(tmp_path).get_config_file()["components"]
        return next(part["props"] for part in parts if part["props"].get("elem_id") == "picker")

    save_checkpoint(tmp_path / "a.safetensors", tiny_checkpoint())
    assert not picker()["visible"]
    save_checkpoint(tmp_path / "b.safetensors", tiny_checkpoint(CIFAR, []))
    assert picker()["visible"]
    assert picker()["choices"] == [
        ("4 things in 3 styles, 16 pixels (a)", "a"),
        ("2 things, 16 pixels (b)", "b"),
    ]

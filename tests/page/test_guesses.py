"""What a drawing may be, without a browser."""

from __future__ import annotations

import shutil
import threading

import pytest
from PIL import Image, ImageDraw

pytest.importorskip("gradio")

from app_helpers import texts
from conftest import NoTorch, drawn, half_mask, tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.kinds import COLOURED, OUTLINE
from diffusion.page import app
from diffusion.page.canvas_io import data_url
from diffusion.page.guesses import MOST, NOTHING, find_judge, guesser

SHIPPED = app.CHECKPOINTS / "judge" / "judge-64.safetensors"
FRUIT = ["pear", "apple", "tomato", "no such thing", "banana", "lemon", "kiwi"]


@pytest.fixture(scope="module")
def judge():
    judge, problems = find_judge(app.CHECKPOINTS)
    assert judge and not problems
    return judge


@pytest.fixture
def guess(judge):
    numbers = {"class": FRUIT}
    return guesser(
        {"fruit": tiny_checkpoint({"subject": FRUIT}, []), "c": tiny_checkpoint(numbers, [])}, judge
    )


def test_a_red_round_thing_is_an_apple_or_a_tomato_and_nothing_the_model_does_not_know(guess):
    guesses = guess({"model": "fruit", "drawing": drawn()})["names"]
    names = [each["name"] for each in guesses]
    assert set(names[:2]) == {"apple", "tomato"} and guesses[0]["shown"] == names[0].capitalize()
    assert len(names) == len(set(names)) == MOST and set(names) < set(FRUIT)
    assert guess({"model": None, "drawing": drawn()})["names"] == guesses, (
        "the first model is the one of the page"
    )


def test_outlines_are_taken_for_what_the_model_takes_them_for(judge):
    """One that is not told the drawing gets them coloured in, and would see nothing of them at strength 1."""
    told, untold = (tiny_checkpoint({"subject": FRUIT}, [], drawing=drawing) for drawing in (True, False))
    guess = guesser({"told": told, "untold": untold}, judge)
    ring = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(ring).ellipse([100, 100, 400, 400], outline="black", width=12)
    outline = {"picture": data_url(ring), "keep": ""}
    asked = [(model, drawing) for drawing in (outline, drawn()) for model in ("told", "untold")]
    kinds = [guess({"model": model, "drawing": drawing})["kind"] for model, drawing in asked]
    assert kinds == [OUTLINE, COLOURED, COLOURED, COLOURED]


@pytest.mark.parametrize(
    "drawing", ["", None, {}, [], 7, {"picture": "x"}, {"picture": "data:image/png;base64,AA"}]
)
def test_nothing_or_no_picture_gets_no_guess(guess, drawing):
    assert guess({"model": "fruit", "drawing": drawing}) == NOTHING


def test_a_blank_canvas_gets_no_guess(guess):
    white = data_url(half_mask().point(lambda value: 255))
    assert guess({"model": "fruit", "drawing": {"picture": white, "keep": ""}}) == NOTHING


@pytest.mark.parametrize("asked", [{}, [], "?", {"model": "gone"}, {"model": ["fruit"]}, {"model": "c"}])
def test_a_question_without_sense_or_a_model_with_other_labels_gets_no_guess(guess, asked):
    asked = {"drawing": drawn(), **asked} if isinstance(asked, dict) and "model" in asked else asked
    assert guess(asked)["names"] == []


def test_it_is_computed_in_the_model_s_thread(guess):
    with NoTorch():
        assert guess({"model": "fruit", "drawing": drawn()})


def test_guesses_come_between_the_steps_of_a_picture(guess):
    """A run takes the thread again and again; a guess waits for one of its turns and no more."""
    from diffusion.page.worker import MODEL_THREAD

    going, turns = threading.Event(), []

    def step():
        turns.append(len(turns))
        if not going.is_set():
            MODEL_THREAD.submit(step)

    MODEL_THREAD.submit(step)
    try:
        assert guess({"model": "fruit", "drawing": drawn()})
    finally:
        going.set()
    assert turns


def shown_guesses(folder) -> list[dict]:
    config = app.build(folder).get_config_file()["components"]
    return [c["props"] for c in config if c["props"].get("elem_id") == "guesses" and c["props"]["visible"]]


def test_without_a_judge_nothing_is_guessed_and_nothing_said(tmp_path):
    save_checkpoint(tmp_path / "tiny.safetensors", tiny_checkpoint())
    assert find_judge(tmp_path) == (None, [])
    assert shown_guesses(tmp_path) == [] and "judge" not in texts(app.build(tmp_path))


def test_a_damaged_judge_is_named_and_the_page_opens(tmp_path):
    save_checkpoint(tmp_path / "tiny.safetensors", tiny_checkpoint())
    (tmp_path / "judge").mkdir()
    (tmp_path / "judge" / "bad.safetensors").write_bytes(b"no weights")
    assert "judge/bad.safetensors is damaged" in texts(app.build(tmp_path))
    assert shown_guesses(tmp_path) == []


def test_with_a_judge_there_are_guesses(tmp_path):
    save_checkpoint(tmp_path / "tiny.safetensors", tiny_checkpoint())
    (tmp_path / "judge").mkdir()
    shutil.copy(SHIPPED, tmp_path / "judge")
    (shown,) = shown_guesses(tmp_path)
    assert shown["props"] == {"model": "tiny", "kind": "subject"}

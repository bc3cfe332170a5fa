"""One run, from a click to the result, without a browser."""

from __future__ import annotations

import copy
import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

gr = pytest.importorskip("gradio")

from app_helpers import decoded, frames_of, make_controls, start, texts, values_of
from conftest import NoTorch, apple_drawing, drawn, half_mask, tiny_checkpoint
from diffusion import images, save_checkpoint
from diffusion.page import app, canvas_io, choices, handlers, lesson_tab, lesson_text, messages
from diffusion.page.canvas_io import data_url
from diffusion.page.drawing import framed
from diffusion.page.endpoints import Endpoints
from diffusion.page.session import DRAWING_MS, GIF_SIDE, Place, Session
from diffusion.page.settings import PNG_KEY
from diffusion.page.worker import in_model_thread


@pytest.fixture(scope="module")
def controls():
    return make_controls()


def test_a_run_sends_every_step_and_then_the_result(controls):
    session = Session()
    messages = list(start(controls, session, drawn()))
    assert [m["phase"] for m in messages] == ["run"] * (len(messages) - 1) + ["done"]
    assert {m["start"] for m in messages} == {1}
    frames = frames_of(messages)
    assert [frame["say"] for frame in frames] == [f"Step {i} of 6" for i in range(1, 7)], "strength 0.6 of 10"
    assert decoded(frames[0]["x0"]).size == decoded(frames[0]["x"]).size == (16, 16)
    assert decoded(messages[-1]["picture"]).size == (512, 512)
    assert messages[-1]["name"] == "apple-noto-7"
    assert len(session.runs[1].steps) == 6


def test_a_stroke_s_run_is_short_and_its_settings_make_the_same_picture(controls):
    session = Session()
    number, _ = handlers.ask(session, drawing=True)
    *_, live = handlers.generate(
        session, number, controls, values_of(controls, drawn(), steps=20, solver="ddim")
    )
    assert len(session.runs[number].steps) == 4
    chosen = live["settings"]
    assert (chosen["solver"], chosen["steps"]) == ("dpm++", 7)
    *_, again = start(controls, Session(), drawn(), solver=chosen["solver"], steps=chosen["steps"])
    assert again["picture"] == live["picture"]


def test_the_result_stands_where_the_drawing_stood(controls):
    small = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(small).ellipse([300, 40, 400, 140], fill="red")
    *_, done = start(controls, Session(), {"picture": data_url(small), "keep": ""})
    left, top, side = done["box"]
    assert side == pytest.approx(101 / 512 / images.FILL, abs=1 / 512)
    middle = [(left + side / 2) * 512, (top + side / 2) * 512]
    assert middle == pytest.approx([350.5, 90.5], abs=1)
    pixels = np.asarray(decoded(done["picture"]))
    assert (pixels[256:] == 255).all() and (pixels[:, :256] == 255).all(), "white where nothing was drawn"
    assert pixels[40:140, 300:400].min() < 200


def test_what_is_kept_is_kept_pixel_for_pixel(controls):
    drawing = apple_drawing()
    value = {"picture": data_url(drawing), "keep": data_url(half_mask())}
    *_, done = start(controls, Session(), value, strength=0.9)
    result, before = np.asarray(decoded(done["picture"])), np.asarray(drawing)
    assert (result[:, :256] == before[:, :256]).all()
    assert (result[:, 257:] != before[:, 257:]).any()


def test_a_result_carries_its_settings(controls):
    *_, done = start(controls, Session(), drawn(), seed=3)
    stored = json.loads(decoded(done["picture"]).text[PNG_KEY])
    assert stored == done["settings"]
    assert (stored["model"], stored["seed"], stored["strength"]) == ("tiny", 3, 0.6)
    assert stored["labels"] == {"subject": "apple", "style": "noto"}


# ---- searching the strength


def test_more_of_one_and_less_of_the_other_halve_the_strengths_left():
    session = Session()
    assert handlers.search_strength(session, 0.6, more_real=True) == 0.8
    assert handlers.search_strength(session, 0.8, more_real=False) == 0.7
    assert handlers.search_strength(session, 0.7, more_real=True) == 0.75
    assert handlers.search_strength(session, 0.2, more_real=False) == 0.1, "moved by hand: a new search"


@pytest.mark.parametrize(
    "chosen, says",
    [
        (["apple", "noto"], "More like an apple"),
        (["ice cream"], "More like an ice cream"),
        ([None], "More real"),
    ],
)
def test_the_button_names_the_subject(chosen, says):
    assert choices.more_like(chosen) == says


def test_the_seed_decides_the_picture(controls):
    def picture(seed):
        return list(start(controls, Session(), drawn(), seed=seed))[-1]["picture"]

    assert picture(1) == picture(1) != picture(2)


def test_a_blank_canvas_is_imagined_from_noise_with_a_hint(controls, monkeypatch):
    hints = []
    monkeypatch.setattr(handlers.gr, "Info", hints.append)
    white = data_url(Image.new("RGB", (512, 512), "white"))
    for canvas in ("", None, {"picture": white, "keep": ""}):
        messages = list(start(controls, Session(), canvas))
        assert frames_of(messages)[0]["say"] == "Step 1 of 10", "all steps: strength 1"
        assert messages[-1]["say"].startswith("Pure imagination")
    assert hints == [handlers.BLANK] * 3


def test_outlines_are_coloured_in_unless_switched_off(controls):
    outline = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(outline).ellipse([8, 8, 56, 56], outline="red", width=4)

    def middle(colour):
        prepared = framed(outline, controls.checkpoints["tiny"], {"subject": "apple"}, colour)
        return prepared.x0[0, :, 8, 8].tolist()

    assert middle(True) == [1, -1, -1] and middle(False) == [1, 1, 1]


def test_strength_0_says_that_the_drawing_was_kept(controls):
    messages = list(start(controls, Session(), drawn(), strength=0))
    assert [m["phase"] for m in messages] == ["run", "done"]
    assert "Strength 0" in messages[-1]["say"]
    assert decoded(messages[-1]["picture"]).getpixel((256, 256))[0] > 200, "the red of the drawing"


@pytest.mark.parametrize(
    "picture, sentence",
    [
        ("hello", canvas_io.BAD_PICTURE),
        ("data:text/html;base64,aGVsbG8=", canvas_io.BAD_PICTURE),
        ("data:image/png;base64,%%%", canvas_io.BAD_PICTURE),
        ("data:image/png;base64,aGVsbG8=", "not a picture"),
        ("data:image/png;base64," + "A" * canvas_io.MAX_DATA_URL, canvas_io.BIG_PICTURE),
    ],
)
def test_a_bad_picture_is_one_sentence_and_the_result_stays(controls, picture, sentence, monkeypatch):
    warnings = []
    monkeypatch.setattr(handlers.gr, "Warning", warnings.append)
    session = Session()
    list(start(controls, session, drawn()))
    (message,) = start(controls, session, {"picture": picture, "keep": ""})
    assert message["phase"] == "idle" and sentence in message["say"]
    assert warnings == [message["say"]]
    assert list(session.runs) == [1]


def test_an_unknown_label_is_one_sentence(controls, monkeypatch):
    monkeypatch.setattr(handlers.gr, "Warning", lambda text: None)
    (message,) = start(controls, Session(), drawn(), labels=("aple", "noto"))
    assert "apple" in message["say"]


def test_a_surprise_is_no_traceback_on_the_page(controls, monkeypatch):
    monkeypatch.setattr(handlers, "read_drawing", lambda *_: 1 / 0)
    run = start(controls, Session(), drawn())
    assert next(run)["say"] == messages.FAILED
    with pytest.raises(gr.Error, match="try again"):
        next(run)


# ---- the model's thread


def test_torch_computes_in_the_model_s_thread_alone(tmp_path):
    """A second thread in which it has computed slows every step down, see MODEL_THREAD in worker.py."""
    checkpoints, session = {"tiny": tiny_checkpoint(image_size=64)}, Session()
    save_checkpoint(tmp_path / "tiny.safetensors", checkpoints["tiny"])
    controls, endpoints = make_controls(checkpoints), Endpoints(checkpoints)
    apple = str(tmp_path / "apple.png")
    apple_drawing().save(apple)
    with NoTorch():
        texts(app.build(tmp_path))  # Gradio copies what it keeps
        list(start(controls, session, {**drawn(), "keep": data_url(half_mask())}, count=4))
        list(start(controls, session, drawn(), seed=8, after=Place(1, 2, 3)))
        handlers.choose_one(session, SimpleNamespace(run=1, k=2))
        handlers.make_gif(session, SimpleNamespace(run=1, k=2))
        list(endpoints.generate(subject="apple", steps=5))
        endpoints.variations(subject="apple", steps=5, count=3)
        endpoints.animation(subject="apple", steps=5)
        endpoints.add_noise(apple, subject="apple")
        values = values_of(controls, drawn(), eta=0.5)
        example = lesson_tab.look(controls, values, ["cat", "noto"])
        copy.deepcopy(example)
        lesson_text.explain_noising(checkpoints, example, 500)
        lesson_text.explain_step(checkpoints, example, 500)
        list(lesson_text.explain_dials(checkpoints, example))


def test_checkpoints_are_loaded_in_the_model_s_thread(checkpoint_folder, monkeypatch):
    threads, load = [], choices.load_checkpoint

    def loading(path, **beside):
        threads.append(threading.current_thread())
        return load(path, **beside)

    monkeypatch.setattr(choices, "load_checkpoint", loading)
    choices.find_checkpoints(checkpoint_folder)
    assert threads == [in_model_thread(threading.current_thread)]


def test_the_gif_begins_with_the_drawing_and_has_every_step(controls):
    session = Session()
    list(start(controls, session, drawn()))
    gif = decoded(handlers.make_gif(session, SimpleNamespace(run=1, k=0))["gif"])
    assert (gif.format, gif.n_frames, gif.size) == ("GIF", 7, (GIF_SIDE, GIF_SIDE))
    assert gif.info["duration"] == DRAWING_MS, "the drawing first"
    with pytest.raises(gr.Error):
        handlers.make_gif(session, SimpleNamespace(run=2, k=0))

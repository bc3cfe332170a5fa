"""Behind the page: settings that travel, what the canvas sends, frames that run ahead of it."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import math
import re
import threading
import time
from dataclasses import asdict
from urllib.parse import parse_qsl

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import LABELS, apple_drawing, drawn, half_mask, tiny_checkpoint
from diffusion import images
from diffusion.page import studio
from diffusion.sampler import Step

CHECKPOINTS = {"tiny": tiny_checkpoint(), "plain, 2": tiny_checkpoint({}, [])}


def within(key: str):
    low, high = studio.RANGES[key]
    return st.integers(low, high) if isinstance(low, int) else st.floats(low, high)


SETTINGS = st.builds(
    studio.Settings,
    model=st.just("tiny"),
    labels=st.fixed_dictionaries({kind: st.sampled_from(names) for kind, names in LABELS.items()}),
    **{key: within(key) for key in studio.RANGES},
    colour=st.booleans(),
)


@given(SETTINGS)
def test_a_link_says_all_that_the_settings_say(settings):
    wishes = dict(parse_qsl(settings.to_query()))
    assert studio.Settings(**studio.known_settings(wishes, CHECKPOINTS, "plain, 2")) == settings


@given(SETTINGS)
def test_so_does_the_text_in_a_file(settings):
    text = json.dumps(asdict(settings))
    wishes = studio.read_settings(text)
    assert studio.Settings(**studio.known_settings(wishes, CHECKPOINTS, "plain, 2")) == settings


def test_a_model_without_labels_has_links_too():
    settings = studio.Settings("plain, 2", {}, 0.6, 20, 2.0, 0.0, 7, True)
    assert settings.to_query() == "model=plain%2C+2&strength=0.6&steps=20&guidance=2&eta=0&seed=7&colour=1"
    wishes = dict(parse_qsl(settings.to_query()))
    assert "labels" not in studio.known_settings(wishes, CHECKPOINTS, "tiny")


KEYS = st.sampled_from(["model", "labels", "subject", "style", "colour", *studio.RANGES]) | st.text(
    max_size=5
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8)


@given(st.dictionaries(KEYS, JSON))
def test_nonsense_is_left_out_without_a_word(wishes):
    found = studio.known_settings(wishes, CHECKPOINTS, "tiny")
    for key, (low, high) in studio.RANGES.items():
        assert low <= found.get(key, low) <= high
    assert found.get("model", "tiny") in CHECKPOINTS
    for kind, name in found.get("labels", {}).items():
        assert name in LABELS[kind]


@given(st.text() | st.none() | JSON.map(json.dumps))
def test_no_text_in_a_file_does_harm(text):
    assert isinstance(studio.read_settings(text), dict)


@pytest.mark.parametrize(
    "wishes, found",
    [
        ({"__theme": "dark"}, {}),
        (
            {"strength": "7", "steps": "-2", "seed": "1e99"},
            {"strength": 1, "steps": 5, "seed": studio.MAX_SEED},
        ),
        ({"strength": "nan", "steps": "ten", "seed": "", "colour": "blue"}, {}),
        ({"strength": 10**400, "guidance": math.inf}, {"guidance": 6}),
        ({"model": "another", "subject": "submarine", "style": "noto"}, {"labels": {"style": "noto"}}),
        ({"steps": "7.6", "colour": "0"}, {"steps": 8, "colour": False}),
    ],
)
def test_what_a_link_may_say(wishes, found):
    assert studio.known_settings(wishes, CHECKPOINTS, "tiny") == found


# ---- what the canvas sends


def test_the_canvas_sends_a_drawing_and_what_to_keep_of_it():
    picture, keep = studio.read_canvas(
        {"picture": studio.data_url(apple_drawing()), "keep": studio.data_url(half_mask())}
    )
    assert picture.tobytes() == apple_drawing().tobytes()
    assert keep.getpixel((0, 0)) == (0, 0, 0) and keep.getpixel((511, 0)) == (255, 255, 255)


@pytest.mark.parametrize("value", ["", None, {}, {"picture": "", "keep": ""}, {"picture": None}])
def test_a_blank_canvas_holds_nothing(value):
    assert studio.read_canvas(value) == (None, None)


def test_most_drawings_come_without_a_mask():
    picture, keep = studio.read_canvas(drawn())
    assert picture.size == (512, 512) and keep is None


SMALL = "data:image/png;base64,"


@pytest.mark.parametrize(
    "value, sentence",
    [
        ("hello", studio.BAD_PICTURE),
        (studio.data_url(Image.new("RGB", (8, 8))), studio.BAD_PICTURE),
        (["", ""], studio.BAD_PICTURE),
        (5, studio.BAD_PICTURE),
        (False, studio.BAD_PICTURE),
        ({"picture": 5}, studio.BAD_PICTURE),
        ({"picture": {"url": "x"}}, studio.BAD_PICTURE),
        ({"picture": [SMALL]}, studio.BAD_PICTURE),
        ({"picture": "file:///etc/passwd"}, studio.BAD_PICTURE),
        ({"picture": SMALL}, studio.BAD_PICTURE),
        ({"picture": SMALL + "iVBORw0KGgo="}, "not a picture"),
        ({"picture": drawn()["picture"][:2022]}, "damaged"),
        ({"picture": SMALL + "A" * studio.MAX_DATA_URL}, studio.BIG_PICTURE),
        ({**drawn(), "keep": SMALL + "A" * studio.MAX_DATA_URL}, studio.BIG_PICTURE),
        ({**drawn(), "keep": "nonsense"}, studio.BAD_PICTURE),
        ({**drawn(), "keep": 1}, studio.BAD_PICTURE),
        ({**drawn(), "keep": studio.data_url(half_mask(64))}, studio.BAD_PICTURE),
        ({"picture": "", "keep": studio.data_url(half_mask())}, studio.BAD_PICTURE),
    ],
)
def test_anything_else_from_the_canvas_is_one_sentence(value, sentence):
    with pytest.raises(images.ImageError, match=re.escape(sentence)):
        studio.read_canvas(value)


def test_a_picture_too_large_to_decode_is_refused():
    huge = io.BytesIO()
    Image.new("1", (30000, 30000), 1).save(huge, format="PNG")  # a small file of 900 megapixels
    url = SMALL + base64.b64encode(huge.getvalue()).decode()
    with pytest.raises(images.ImageError, match="too large"):
        studio.read_canvas({"picture": url, "keep": ""})


# ---- frames ahead of the page


def step(index: int = 1, total: int = 1) -> Step:
    return Step(index=index, total=total, t=0, x=torch.zeros(1), x0=torch.zeros(1))


def test_a_slow_page_gets_all_frames_and_does_not_slow_the_model_down():
    made = []

    def model():
        for i in range(10):
            made.append(i)
            yield step(i + 1, 10)

    batches = studio.ahead(model())
    first = next(batches)
    while len(made) < 10:  # nobody asks for more, and it goes on
        time.sleep(0.001)
    assert [made.index for batch in [first, *batches] for made in batch] == list(range(1, 11))


def test_an_error_of_the_model_arrives_behind_its_last_frame():
    def model():
        yield step(1, 2)
        raise ZeroDivisionError

    batches = studio.ahead(model())
    assert len(next(batches)) == 1
    with pytest.raises(ZeroDivisionError):
        next(batches)


def endless(seen: list):
    """A model that never ends; what it does, and in which thread, stands in `seen`."""
    try:
        while True:
            time.sleep(0.002)
            seen.append(threading.current_thread().name)
            yield step(total=50)
    finally:
        seen.append("closed")


def has_ended(seen: list) -> bool:
    deadline = time.monotonic() + 10
    while "closed" not in seen and time.monotonic() < deadline:
        time.sleep(0.001)
    return "closed" in seen


def test_every_step_is_made_in_the_model_s_thread():
    seen = []
    with contextlib.closing(studio.ahead(endless(seen))) as batches:
        next(batches), next(batches)
    assert has_ended(seen)
    assert set(seen[:-1]) == {studio.in_model_thread(lambda: threading.current_thread().name)}
    assert threading.current_thread().name not in seen


def test_those_who_share_the_thread_take_turns():
    first, second = [], []
    with contextlib.closing(studio.ahead(endless(first))) as one:
        next(one)
        assert studio.in_model_thread(lambda: "done") == "done", "while the run goes on"
        with contextlib.closing(studio.ahead(endless(second))) as other:
            next(other), next(one), next(other)
    assert has_ended(first) and has_ended(second)


def test_a_run_ends_within_a_step_when_nobody_wants_it_or_it_is_closed():
    seen, wanted = [], True
    batches = studio.ahead(endless(seen), lambda: wanted)
    next(batches)
    wanted = False
    list(batches)
    assert has_ended(seen)
    seen = []
    batches = studio.ahead(endless(seen))
    next(batches)
    begun = len(seen)
    batches.close()
    made = len(seen)
    assert has_ended(seen) and len(seen) - made <= 2 and begun, "one step that was going on"


def test_closing_does_not_wait_for_the_step_that_is_going_on():
    """Gradio closes runs in the thread that answers everybody."""
    going_on, go_on = threading.Event(), threading.Event()

    def model():
        yield step()
        going_on.set()
        go_on.wait(10)
        yield step()

    batches = studio.ahead(model())
    next(batches)
    assert going_on.wait(10)
    batches.close()
    assert not go_on.is_set()
    go_on.set()


def test_what_goes_wrong_in_the_model_s_thread_is_told_where_it_was_asked_for():
    with pytest.raises(ZeroDivisionError):
        studio.in_model_thread(lambda: 1 / 0)
    assert studio.in_model_thread(max, 1, 2) == 2, "and the thread goes on"

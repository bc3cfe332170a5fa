"""Behind the page: settings that travel, what the canvas sends, frames that run ahead of it."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import time
from dataclasses import asdict
from urllib.parse import parse_qsl

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import LABELS, apple_drawing, drawn, half_mask, tiny_checkpoint  # noqa: E402
from diffusion import images, studio
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


def test_a_slow_page_gets_all_frames_and_does_not_slow_the_model_down():
    made = []

    def model():
        for i in range(10):
            made.append(i)
            yield Step(index=i + 1, total=10, t=0, x=torch.zeros(1), x0=torch.zeros(1))

    batches = studio.ahead(model(), lambda: True)
    first = next(batches)
    while len(made) < 10:  # nobody asks for more, and it goes on
        time.sleep(0.001)
    assert [step.index for batch in [first, *batches] for step in batch] == list(range(1, 11))


def test_an_error_of_the_model_arrives_behind_its_last_frame():
    def model():
        yield Step(index=1, total=2, t=0, x=torch.zeros(1), x0=torch.zeros(1))
        raise ZeroDivisionError

    batches = studio.ahead(model(), lambda: True)
    assert len(next(batches)) == 1
    with pytest.raises(ZeroDivisionError):
        next(batches)

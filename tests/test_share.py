"""Settings that travel: in links and in files."""

from __future__ import annotations

import json
import math
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("gradio")

import app  # noqa: E402
from conftest import LABELS, tiny_checkpoint  # noqa: E402

CHECKPOINTS = {"tiny": tiny_checkpoint(), "plain, 2": tiny_checkpoint({}, [])}


def within(key: str):
    low, high = app.RANGES[key]
    return st.integers(low, high) if isinstance(low, int) else st.floats(low, high)


SETTINGS = st.builds(
    app.Settings,
    model=st.just("tiny"),
    labels=st.fixed_dictionaries({kind: st.sampled_from(names) for kind, names in LABELS.items()}),
    **{key: within(key) for key in app.RANGES},
    colour=st.booleans(),
)


@given(SETTINGS)
def test_a_link_says_all_that_the_settings_say(settings):
    wishes = dict(parse_qsl(settings.to_query()))
    assert app.Settings(**app.known_settings(wishes, CHECKPOINTS, "plain, 2")) == settings


@given(SETTINGS)
def test_so_does_the_text_in_a_file(settings):
    text = json.dumps(app.asdict(settings))
    wishes = app.read_settings(text)
    assert app.Settings(**app.known_settings(wishes, CHECKPOINTS, "plain, 2")) == settings


def test_a_model_without_labels_has_links_too():
    settings = app.Settings("plain, 2", {}, 0.6, 20, 2.0, 0.0, 7, True)
    assert settings.to_query() == "model=plain%2C+2&strength=0.6&steps=20&guidance=2&eta=0&seed=7&colour=1"
    wishes = dict(parse_qsl(settings.to_query()))
    assert "labels" not in app.known_settings(wishes, CHECKPOINTS, "tiny")


KEYS = st.sampled_from(["model", "labels", "subject", "style", "colour", *app.RANGES]) | st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8)


@given(st.dictionaries(KEYS, JSON))
def test_nonsense_is_left_out_without_a_word(wishes):
    found = app.known_settings(wishes, CHECKPOINTS, "tiny")
    for key, (low, high) in app.RANGES.items():
        assert low <= found.get(key, low) <= high
    assert found.get("model", "tiny") in CHECKPOINTS
    for kind, name in found.get("labels", {}).items():
        assert name in LABELS[kind]


@given(st.text() | st.none() | JSON.map(json.dumps))
def test_no_text_in_a_file_does_harm(text):
    assert isinstance(app.read_settings(text), dict)


@pytest.mark.parametrize(
    "wishes, found",
    [
        ({"__theme": "dark"}, {}),
        ({"strength": "7", "steps": "-2", "seed": "1e99"}, {"strength": 1, "steps": 5, "seed": app.MAX_SEED}),
        ({"strength": "nan", "steps": "ten", "seed": "", "colour": "blue"}, {}),
        ({"strength": 10**400, "guidance": math.inf}, {"guidance": 6}),
        ({"model": "another", "subject": "submarine", "style": "noto"}, {"labels": {"style": "noto"}}),
        ({"steps": "7.6", "colour": "0"}, {"steps": 8, "colour": False}),
    ],
)
def test_what_a_link_may_say(wishes, found):
    assert app.known_settings(wishes, CHECKPOINTS, "tiny") == found

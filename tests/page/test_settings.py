"""Settings that travel, and what the canvas sends."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from dataclasses import asdict, replace
from urllib.parse import parse_qsl

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import LABELS, apple_drawing, drawn, half_mask, tiny_checkpoint
from diffusion import images
from diffusion.page.canvas_io import BAD_PICTURE, BIG_PICTURE, MAX_DATA_URL, data_url, read_canvas
from diffusion.page.session import Run, paint
from diffusion.page.settings import MAX_SEED, RANGES, Settings, known_settings, read_settings
from diffusion.sampler import SOLVERS
from diffusion.sdedit import edit_timesteps

CHECKPOINTS = {"tiny": tiny_checkpoint(), "plain, 2": tiny_checkpoint({}, [])}


def within(key: str):
    low, high = RANGES[key]
    return st.integers(low, high) if isinstance(low, int) else st.floats(low, high)


SETTINGS = st.builds(
    Settings,
    model=st.just("tiny"),
    labels=st.fixed_dictionaries({kind: st.sampled_from(names) for kind, names in LABELS.items()}),
    **{key: within(key) for key in RANGES},
    colour=st.booleans(),
)


@given(SETTINGS)
def test_a_link_says_all_that_the_settings_say(settings):
    wishes = dict(parse_qsl(settings.to_query()))
    assert Settings(**known_settings(wishes, CHECKPOINTS, "plain, 2")) == settings


@given(SETTINGS)
def test_so_does_the_text_in_a_file(settings):
    text = json.dumps(asdict(settings))
    wishes = read_settings(text)
    assert Settings(**known_settings(wishes, CHECKPOINTS, "plain, 2")) == settings


def test_a_model_without_labels_has_links_too():
    settings = Settings("plain, 2", {}, 0.6, 20, 2.0, 0.0, 7, True, "fp32")
    link = "model=plain%2C+2&strength=0.6&steps=20&guidance=2&eta=0&seed=7&colour=1&precision=fp32"
    assert settings.to_query() == link + "&solver=dpm%2B%2B"
    wishes = dict(parse_qsl(settings.to_query()))
    assert "labels" not in known_settings(wishes, CHECKPOINTS, "tiny")


def test_the_precision_travels_where_the_processor_has_it(monkeypatch):
    for has, used in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr("diffusion.page.settings.multiplies_bf16", lambda has=has: has)
        assert known_settings({"precision": "bf16"}, CHECKPOINTS, "tiny")["precision"] == used
        assert Settings.read("tiny", {}, precision="bf16").precision == used
        assert Settings.read("tiny", {}, precision="fp32").precision == "fp32"
    assert "precision" not in known_settings({"precision": "int8"}, CHECKPOINTS, "tiny")
    with pytest.raises(ValueError, match="Precision must be bf16 or fp32"):
        Settings.read("tiny", {}, precision="int8")


NAMES = ["model", "labels", "subject", "style", "colour", "precision", *RANGES]
KEYS = st.sampled_from(NAMES) | st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8)


@given(st.dictionaries(KEYS, JSON))
def test_nonsense_is_left_out_without_a_word(wishes):
    found = known_settings(wishes, CHECKPOINTS, "tiny")
    for key, (low, high) in RANGES.items():
        assert low <= found.get(key, low) <= high
    assert found.get("model", "tiny") in CHECKPOINTS
    for kind, name in found.get("labels", {}).items():
        assert name in LABELS[kind]


@given(st.text() | st.none() | JSON.map(json.dumps))
def test_no_text_in_a_file_does_harm(text):
    assert isinstance(read_settings(text), dict)


@pytest.mark.parametrize(
    "wishes, found",
    [
        ({"__theme": "dark"}, {}),
        (
            {"strength": "7", "steps": "-2", "seed": "1e99"},
            {"strength": 1, "steps": 5, "seed": MAX_SEED},
        ),
        ({"strength": "nan", "steps": "ten", "seed": "", "colour": "blue"}, {}),
        ({"strength": 10**400, "guidance": math.inf}, {"guidance": 6}),
        ({"model": "another", "subject": "submarine", "style": "noto"}, {"labels": {"style": "noto"}}),
        ({"steps": "7.6", "colour": "0"}, {"steps": 8, "colour": False}),
    ],
)
def test_what_a_link_may_say(wishes, found):
    assert known_settings(wishes, CHECKPOINTS, "tiny") == found


# ---- what the canvas sends


def test_the_canvas_sends_a_drawing_and_what_to_keep_of_it():
    picture, keep = read_canvas({"picture": data_url(apple_drawing()), "keep": data_url(half_mask())})
    assert picture.tobytes() == apple_drawing().tobytes()
    assert keep.getpixel((0, 0)) == (0, 0, 0) and keep.getpixel((511, 0)) == (255, 255, 255)


@pytest.mark.parametrize("value", ["", None, {}, {"picture": "", "keep": ""}, {"picture": None}])
def test_a_blank_canvas_holds_nothing(value):
    assert read_canvas(value) == (None, None)


def test_most_drawings_come_without_a_mask():
    picture, keep = read_canvas(drawn())
    assert picture.size == (512, 512) and keep is None


SMALL = "data:image/png;base64,"


@pytest.mark.parametrize(
    "value, sentence",
    [
        ("hello", BAD_PICTURE),
        (data_url(Image.new("RGB", (8, 8))), BAD_PICTURE),
        (["", ""], BAD_PICTURE),
        (5, BAD_PICTURE),
        (False, BAD_PICTURE),
        ({"picture": 5}, BAD_PICTURE),
        ({"picture": {"url": "x"}}, BAD_PICTURE),
        ({"picture": [SMALL]}, BAD_PICTURE),
        ({"picture": "file:///etc/passwd"}, BAD_PICTURE),
        ({"picture": SMALL}, BAD_PICTURE),
        ({"picture": SMALL + "iVBORw0KGgo="}, "not a picture"),
        ({"picture": drawn()["picture"][:2022]}, "damaged"),
        ({"picture": SMALL + "A" * MAX_DATA_URL}, BIG_PICTURE),
        ({**drawn(), "keep": SMALL + "A" * MAX_DATA_URL}, BIG_PICTURE),
        ({**drawn(), "keep": "nonsense"}, BAD_PICTURE),
        ({**drawn(), "keep": 1}, BAD_PICTURE),
        ({**drawn(), "keep": data_url(half_mask(64))}, BAD_PICTURE),
        ({"picture": "", "keep": data_url(half_mask())}, BAD_PICTURE),
    ],
)
def test_anything_else_from_the_canvas_is_one_sentence(value, sentence):
    with pytest.raises(images.ImageError, match=re.escape(sentence)):
        read_canvas(value)


def test_a_picture_too_large_to_decode_is_refused():
    huge = io.BytesIO()
    Image.new("1", (30000, 30000), 1).save(huge, format="PNG")  # a small file of 900 megapixels
    url = SMALL + base64.b64encode(huge.getvalue()).decode()
    with pytest.raises(images.ImageError, match="too large"):
        read_canvas({"picture": url, "keep": ""})


def test_a_solver_is_chosen_by_its_name_and_has_no_eta_but_ddim():
    for name in SOLVERS:
        settings = Settings.read("tiny", {}, solver=name, eta=0.5)
        assert settings.sampling.solver == name and settings.sampling.eta == (0.5 if name == "ddim" else 0)
        wishes = dict(parse_qsl(settings.to_query()))
        assert known_settings(wishes, CHECKPOINTS, "tiny")["solver"] == name
    for nobody in (None, ""):
        assert Settings.read("tiny", {}, solver=nobody).sampling.solver == "dpm++"
        assert Settings.read("tiny", {}, solver=nobody, eta=0.5).sampling.eta == 0.5, "an eta is DDIM's"
    assert known_settings({"eta": "0.5"}, CHECKPOINTS, "tiny") == {"eta": 0.5, "solver": "ddim"}
    assert "solver" not in known_settings({"solver": "euler"}, CHECKPOINTS, "tiny")
    with pytest.raises(ValueError, match=r"Solver must be ddim or ddpm or heun or dpm\+\+, not 'euler'"):
        Settings.read("tiny", {}, solver="euler")


@pytest.mark.parametrize("solver", ["ddim", "heun", "dpm++"])
@pytest.mark.parametrize("strength", [0.1, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0])
def test_while_somebody_draws_four_steps_paint_nearly_the_same_picture(solver, strength):
    usual = Settings.read("tiny", {"subject": "apple"}, strength=strength, steps=20, solver=solver)
    quick = usual.while_drawing
    assert quick == replace(usual, solver=quick.solver, steps=quick.steps)
    assert Settings(**known_settings(dict(parse_qsl(quick.to_query())), CHECKPOINTS, "tiny")) == quick
    taken = edit_timesteps(strength, quick.steps, 1000)
    assert len(taken) <= 5 and len(taken) <= len(edit_timesteps(strength, 20, 1000))
    if strength > 0.2:
        assert quick.solver == "dpm++" and len(taken) >= 4


def test_fresh_noise_stays_while_somebody_draws():
    for chosen in ({"solver": "ddpm"}, {"solver": "ddim", "eta": 0.5}, {"strength": 0.0}):
        settings = Settings.read("tiny", {}, **chosen)
        assert settings.while_drawing == settings


# ---- seeds and names that survive the way there and back


@pytest.mark.parametrize("seed", [0, 7, MAX_SEED - 8, MAX_SEED - 3, MAX_SEED])
def test_a_seed_that_is_made_can_be_set_again(seed):
    """Nine pictures from the last seed: none of them may have one that the controls cannot have."""
    ckpt = tiny_checkpoint()
    settings = Settings.read("tiny", {"subject": "apple"}, seed=seed, steps=5)
    *_, last = paint(ckpt, None, settings, 9)
    run = Run(settings, None, [last])
    for k in range(9):
        one = run.only(k).settings
        assert 0 <= one.seed <= MAX_SEED
        link = dict(parse_qsl(one.to_query()))
        assert known_settings(link, {"tiny": ckpt}, "tiny")["seed"] == one.seed
        *_, again = paint(ckpt, None, one)
        torch.testing.assert_close(again.x, last.x[k : k + 1], atol=1e-4, rtol=0)


@given(st.text(max_size=300))
def test_a_file_s_name_is_one_file_s_name(label):
    name = Settings("m", {"subject": label, "style": "../../x"}).name
    assert name and len(name) < 120 and not set(name) & set('/\\:*?"<>|\0\n ') and not name.startswith(".")
    assert name.endswith("7"), "the seed stays"

"""Enlarging and large files on the page and for programs, without a browser."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

gr = pytest.importorskip("gradio")

from app_helpers import decoded, frames_of, make_controls, start, values_of
from conftest import apple_drawing, drawn, half_mask, tiny_checkpoint
from diffusion.enlarge import prepare_whole
from diffusion.images import to_pil
from diffusion.page import connect, drawing, handlers, layout
from diffusion.page.canvas_io import data_url
from diffusion.page.endpoints import Endpoints
from diffusion.page.session import LARGE_SIDE, RESULT_SIDE, Place, Session
from diffusion.page.settings import PNG_KEY, Settings, known_settings
from test_enlarge import noisy
from test_upscaler import wild

ONLY = {"enlarge": True, "strength": 0}


@pytest.fixture(scope="module")
def checkpoint():
    return replace(tiny_checkpoint(), codec=wild())


@pytest.fixture(scope="module")
def controls(checkpoint):
    return make_controls({"tiny": checkpoint})


def brought(picture: Image.Image, keep: Image.Image | None = None) -> dict:
    """What the canvas sends of a picture that was laid on it."""
    side, k = RESULT_SIDE, RESULT_SIDE / max(picture.size)
    larger = picture.resize((round(picture.width * k), round(picture.height * k)))
    page = Image.new("RGB", (side, side), "white")
    page.paste(larger, ((side - larger.width) // 2, (side - larger.height) // 2))
    return {"picture": data_url(page), "keep": data_url(keep) if keep else "", "source": data_url(picture)}


def enlarged(checkpoint, picture: Image.Image, side: int = RESULT_SIDE) -> Image.Image:
    """What the upscaler makes of a square picture, by itself."""
    x0 = checkpoint.codec.encode(prepare_whole(picture, checkpoint).x0)
    return to_pil(checkpoint.codec.decode(x0), side)


# ---- enlarging


def test_a_picture_that_was_brought_is_enlarged_from_its_own_pixels(controls, checkpoint):
    *_, done = start(controls, Session(), brought(noisy(16, 16)), **ONLY)
    assert decoded(done["picture"]).tobytes() == enlarged(checkpoint, noisy(16, 16)).tobytes()
    assert done["settings"]["labels"] == {} and done["settings"]["enlarge"], "no words"
    assert done["name"] == "enlarged-7" and done["say"].startswith("Enlarged in")


def test_one_that_was_drawn_on_is_averaged_from_the_canvas(controls, checkpoint):
    *_, done = start(controls, Session(), drawn(), **ONLY)
    assert decoded(done["picture"]).tobytes() == enlarged(checkpoint, apple_drawing()).tobytes()


@pytest.mark.parametrize("size, larger", [((32, 20), (512, 320)), ((20, 32), (320, 512))])
def test_a_picture_keeps_its_shape(controls, size, larger):
    session = Session()
    messages = list(start(controls, session, brought(noisy(*size)), enlarge=True, strength=0.4))
    done = messages[-1]
    assert decoded(done["picture"]).size == larger
    assert done["shape"] == [side / 512 for side in larger]
    assert done["box"] == pytest.approx([0, 0, 1], abs=1 / 32)
    assert decoded(frames_of(messages)[0]["x0"]).size == (16, 16)
    large = handlers.make_large(session, SimpleNamespace(run=1, k=0))["large"]
    assert decoded(large).size == tuple(2 * side for side in larger)
    assert decoded(handlers.make_gif(session, SimpleNamespace(run=1, k=0))["gif"]).size[0] == 320


def test_what_is_marked_on_it_is_kept(controls):
    value = brought(noisy(32, 20), half_mask())  # the left half
    *_, done = start(controls, Session(), value, enlarge=True, strength=0.5)
    plain = np.asarray(noisy(32, 20).resize((512, 320), Image.Resampling.LANCZOS))
    made = np.asarray(decoded(done["picture"]))
    assert (made[:, :256] == plain[:, :256]).all() and (made[:, 257:] != plain[:, 257:]).any()


def test_going_on_stays_enlarging(controls):
    session = Session()
    *_, done = start(controls, session, brought(noisy(16, 16)), enlarge=True, strength=0.5)
    *_, on = start(controls, session, "", after=Place(1, 0, 2), enlarge=False)
    assert on["settings"]["enlarge"] and decoded(on["picture"]).size == (512, 512)


def test_what_cannot_be_enlarged_is_a_sentence(controls, monkeypatch):
    warnings: list[str] = []
    monkeypatch.setattr(handlers.gr, "Warning", warnings.append)
    for canvas, sentence in [
        ("", drawing.NOTHING_TO_ENLARGE),
        (brought(noisy(9, 12)), "too small to be enlarged"),
        ({**drawn(), "source": "nonsense"}, "did not arrive"),
    ]:
        (message,) = start(controls, Session(), canvas, **ONLY)
        assert message["phase"] == "idle" and sentence in message["say"]
    assert len(warnings) == 3


def test_the_mode_is_offered_with_an_upscaler_alone(controls, checkpoint):
    assert controls.dials["enlarge"].visible and not make_controls().dials["enlarge"].visible
    both = {"plain": tiny_checkpoint(), "tiny": checkpoint}
    with gr.Blocks():
        ws = layout.workspace(both)
    for model, offered in (("tiny", True), ("plain", False)):
        assert connect.switch(ws, model, ["apple", "noto"])[ws.actions.enlarge]["visible"] is offered
        settings = ws.controls.read(values_of(ws.controls, drawn(), model=model, enlarge=True))
        assert settings.enlarge is offered, "hidden, it is off"


def test_links_and_files_bring_it_where_it_can_be_had(checkpoint):
    settings = Settings("tiny", {}, 0.0, 20, 2.0, 0.0, 7, enlarge=True)
    assert settings.to_query().endswith("&enlarge=1")
    assert "enlarge" not in replace(settings, enlarge=False).to_query(), "as links always were"
    for wish in (1, "1", True, "true"):
        assert known_settings({"enlarge": wish}, {"tiny": checkpoint}, "tiny") == {"enlarge": True}
        assert known_settings({"enlarge": wish}, {"tiny": tiny_checkpoint()}, "tiny") == {}
    with pytest.raises(ValueError, match="Enlarge must be true or false, not 3"):
        Settings.read("tiny", {}, enlarge=3)


def test_a_program_enlarges(checkpoint, tmp_path):
    noisy(32, 20).save(tmp_path / "small.png")
    noisy(16, 16).save(tmp_path / "square.png")
    endpoints = Endpoints({"tiny": checkpoint})
    assert endpoints.enlarge(str(tmp_path / "small.png"), strength=0.3, steps=10).size == (512, 320)
    made = endpoints.enlarge(str(tmp_path / "square.png"))
    assert made.tobytes() == enlarged(checkpoint, noisy(16, 16)).tobytes()
    with pytest.raises(gr.Error, match="upload a picture first"):
        endpoints.enlarge()
    with pytest.raises(gr.Error, match="takes an upscaler"):
        Endpoints({"tiny": tiny_checkpoint()}).enlarge(str(tmp_path / "small.png"))


def test_the_endpoint_is_offered_with_an_upscaler_alone(checkpoint):
    from diffusion.page.endpoints import connect_endpoints

    for one in (checkpoint, tiny_checkpoint()):
        with gr.Blocks() as demo:
            connect_endpoints(make_controls_here({"tiny": one}))
        (strength,) = [
            parameter["parameter_default"]
            for name, endpoint in demo.get_api_info()["named_endpoints"].items()
            for parameter in endpoint["parameters"]
            if name == "/enlarge" and parameter["parameter_name"] == "strength"
        ] or [None]
        assert strength == (0 if one.enlarges else None)


def make_controls_here(checkpoints):
    """The controls, on the page that is being made."""
    return layout.workspace(checkpoints).controls


# ---- large files


def test_a_large_file_has_the_settings_and_what_is_kept(controls):
    session, canvas = Session(), {**drawn(), "keep": data_url(half_mask())}
    *_, done = start(controls, session, canvas, strength=0.9)
    large = decoded(handlers.make_large(session, SimpleNamespace(run=1, k=0))["large"])
    assert large.size == (LARGE_SIDE, LARGE_SIDE)
    assert json.loads(large.text[PNG_KEY]) == done["settings"]
    plain = apple_drawing().resize((LARGE_SIDE, LARGE_SIDE), Image.Resampling.LANCZOS)
    made, before = np.asarray(large), np.asarray(plain)
    kept = np.asarray(half_mask().convert("L").resize(large.size, Image.Resampling.NEAREST)) == 0
    assert (made[kept] == before[kept]).all() and (made[~kept] != before[~kept]).any()


def test_pure_imagination_is_saved_large_too(controls):
    session = Session()
    list(start(controls, session, "", count=4))
    large = decoded(handlers.make_large(session, SimpleNamespace(run=1, k=2))["large"])
    assert large.size == (LARGE_SIDE, LARGE_SIDE) and json.loads(large.text[PNG_KEY])["seed"] == 9
    with pytest.raises(gr.Error, match="too long ago"):
        handlers.make_large(session, SimpleNamespace(run=2, k=0))


def test_values_of_the_page_have_the_switch(controls):
    assert controls.read(values_of(controls, drawn())).enlarge is False

"""The lines of an outline stay over what was painted, where a person wants them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytest.importorskip("gradio")

from app_helpers import decoded, make_controls, start
from conftest import apple_drawing, tiny_checkpoint
from diffusion.images import LINE, with_lines
from diffusion.page import handlers
from diffusion.page.canvas_io import data_url
from diffusion.page.request import Request
from diffusion.page.session import Session
from diffusion.page.settings import DEFAULTS


def outline() -> Image.Image:
    picture = Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(picture).ellipse((120, 120, 390, 390), outline="black", width=8)
    return picture


def on_the_line(picture: Image.Image) -> np.ndarray:
    """The pixels under the middle of the outline's line."""
    return np.asarray(picture)[np.asarray(outline())[..., 0] == 0]


def drawn(picture: Image.Image) -> dict:
    return {"picture": data_url(picture), "keep": "", "source": ""}


def test_lines_darken_what_lies_under_them_and_paper_changes_nothing():
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    white, black, grey = (Image.new("RGB", (64, 64), shade) for shade in ("white", "black", "#808080"))
    assert with_lines(colours, white).tobytes() == colours.tobytes()
    for lines, share in ((black, 1 - LINE), (grey, 1 - LINE * 127 / 255)):
        expected = np.asarray(colours) * share
        np.testing.assert_allclose(np.asarray(with_lines(colours, lines)), expected, atol=1.5)


@pytest.mark.parametrize(("picture", "lines", "lined"), [
    (outline(), True, True), (outline(), False, False), (apple_drawing(), True, False),
])  # fmt: skip
def test_only_outlines_have_lines_and_only_where_they_are_wanted(picture, lines, lined):
    session = Session()
    *going, done = start(make_controls(), session, drawn(picture), lines=lines)
    assert {message["lined"] for message in [*going, done]} == {lined}
    run = session.kept(done["of"], 0)
    assert decoded(done["picture"]).tobytes() == run.picture().tobytes()
    bare = replace(run, settings=replace(run.settings, lines=False)).picture()
    if lined:
        np.testing.assert_allclose(on_the_line(run.picture()), on_the_line(bare) * (1 - LINE), atol=1.5)
    else:
        assert run.picture().tobytes() == bare.tobytes()


def test_lines_come_and_go_without_another_run():
    session = Session()
    *_, done = start(make_controls(), session, drawn(outline()))
    place = {"run": done["of"], "k": 0}
    without, again = (
        handlers.choose_one(session, SimpleNamespace(**place, lines=lines)) for lines in (False, True)
    )
    assert (without["lined"], again["lined"]) == (False, True) and again["picture"] == done["picture"]
    assert decoded(without["picture"]).tobytes() != decoded(done["picture"]).tobytes()
    assert handlers.choose_one(session, SimpleNamespace(**place))["lined"], "a choice leaves them as they are"


def test_links_say_it_only_where_there_are_none_and_programs_get_what_the_model_made(tmp_path):
    assert "lines" not in DEFAULTS.to_query() and "lines=0" in replace(DEFAULTS, lines=False).to_query()
    outline().save(tmp_path / "outline.png")
    request = Request.read(
        {"tiny": tiny_checkpoint()}, str(tmp_path / "outline.png"), subject="apple", steps=5
    )
    assert request.drawing and not request.settings.lines

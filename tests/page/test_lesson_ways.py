"""The end of the lesson: what is told, and several ways down from one drawing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

pytest.importorskip("gradio")

from test_lesson_tab import shown

from conftest import tiny_checkpoint
from diffusion import NoiseSchedule, Sampling, edit
from diffusion.page import lesson_ways
from diffusion.page.lesson_text import Example
from diffusion.page.settings import Settings

SETTINGS = Settings(
    "tiny", {"subject": "cat", "style": "noto"}, 0.6, 5, 1.0, precision="fp32", temperature=1.0
)


def example(**changes) -> Example:
    pixels = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16).numpy()
    return Example(replace(SETTINGS, **changes), "drawn", pixels)


def rows(html: str) -> list[list[torch.Tensor]]:
    return [shown(part) for part in html.split("<h3>")[1:]]


@pytest.fixture(scope="module")
def checkpoints():
    return {"tiny": tiny_checkpoint()}


def test_a_row_comes_after_each_way_and_ends_with_its_picture(checkpoints):
    """The pictures are those of `edit` with that solver, the drawing's own noise and seed."""
    made = list(lesson_ways.explain_ways(checkpoints, example()))
    names = list(lesson_ways.SOLVERS_SHOWN.values())
    assert [sum(map(bool, rows(html))) for html in made] == [1, 2, 3]
    assert re.findall(r"<h3>(.*?)</h3>", made[-1]) == names
    for solver, pictures in zip(lesson_ways.SOLVERS_SHOWN, rows(made[-1])):
        assert len(pictures) == lesson_ways.FRAMES
        sampling = Sampling(0.6, 5, 1.0, solver=solver, temperature=1.0)
        steps = list(edit(checkpoints["tiny"], example().x0, SETTINGS.labels, sampling, example().seeds(1)))
        for picture, step in ((pictures[0], steps[0]), (pictures[-1], steps[-1])):
            torch.testing.assert_close(picture, step.x0[0].clamp(-1, 1), rtol=0, atol=1 / 120)


def test_rectified_flow_has_a_row_where_there_is_such_a_model(checkpoints):
    """Of another size, with other words: the drawing is made to fit, and unknown words are left out."""
    flow = replace(tiny_checkpoint({"class": ["ship"]}, [], image_size=8), schedule=NoiseSchedule("straight"))
    both = {**checkpoints, "flow <1>": flow}
    assert len(lesson_ways.ways(checkpoints, "tiny")) == 3
    assert [way.checkpoint for way in lesson_ways.ways(both, "tiny")][3:] == [flow]
    *_, html = lesson_ways.explain_ways(both, example())
    assert "Rectified flow (flow &lt;1&gt;), Euler" in html and len(rows(html)[3]) == lesson_ways.FRAMES
    assert rows(html)[3][0].shape == (3, 8, 8)
    assert len(lesson_ways.ways(both, "flow <1>")) == 3, "of its own solvers the first is Euler's"


def test_before_anything_is_walked_frames_are_empty(checkpoints):
    html = lesson_ways.ways_html(["DDIM"], [])
    assert html.count('class="empty"') == lesson_ways.FRAMES and "<img" not in html
    *_, html = lesson_ways.explain_ways(checkpoints, example(strength=0.0))
    assert all(len(row) == lesson_ways.FRAMES for row in rows(html)), "at strength 0 a single step is walked"


def test_what_is_told_is_what_the_network_gets(checkpoints):
    told = tiny_checkpoint(drawing=True)
    html = lesson_ways.told_html(told, example())
    kinds = told.label_names
    assert f"subject {kinds['subject'].index('cat')} of {len(kinds['subject'])}" in html
    torch.testing.assert_close(shown(html)[0], example().x0[0], rtol=0, atol=1 / 120)
    html = lesson_ways.told_html(checkpoints["tiny"], example(labels={}))
    assert "<img" not in html and "no input for a drawing" in html and "no word" in html

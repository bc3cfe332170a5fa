"""The lesson's last part: the plot and the pictures say what the bound says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

pytest.importorskip("gradio")

from test_lesson_tab import marked, shown

from conftest import NoTorch, tiny_checkpoint
from diffusion import NoiseSchedule
from diffusion.lesson import bit_timesteps, picture_bits
from diffusion.page import lesson_bits
from diffusion.page.lesson_text import PLOT, Example
from diffusion.page.settings import Settings

SETTINGS = Settings("tiny", {"subject": "cat", "style": "noto"}, 0.6, 5, precision="fp32", seed=3)


def example(**changes) -> Example:
    pixels = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16).numpy()
    return Example(replace(SETTINGS, **changes), "drawn", pixels)


@pytest.fixture(scope="module")
def checkpoints():
    return {"tiny": tiny_checkpoint(drawing=True)}


@pytest.fixture(scope="module")
def counted(checkpoints):
    timesteps = bit_timesteps(1000, lesson_bits.ASKED)
    return picture_bits(
        checkpoints["tiny"], example().x0, timesteps, SETTINGS.labels, torch.Generator().manual_seed(3)
    )


def heights(plot: str) -> list[tuple[float, float]]:
    (points,) = re.findall(r'<polyline class="own" points="([^"]+)"', plot)
    return [tuple(map(float, point.split(","))) for point in points.split()]


def test_the_curve_has_a_point_for_each_timestep_at_the_height_of_its_bits(checkpoints, counted):
    html = lesson_bits.explain_bits(checkpoints, example())
    points = heights(html)
    assert len(points) == len(counted.t)
    assert (points[0][0], points[-1][0]) == (PLOT["left"], PLOT["right"])
    low, bits = 10.0 ** lesson_bits.DECADES[0], counted.bits.clamp(min=10.0 ** lesson_bits.DECADES[0])
    ticks = re.findall(r'<path class="grid" d="M\d+ ([\d.]+)H', html)
    decade = (float(ticks[0]) - float(ticks[-1])) / (len(ticks) - 1)
    for (_, y), value in zip(points, bits.tolist()):
        assert y == pytest.approx(PLOT["bottom"] - decade * torch.tensor(value / low).log10().item(), abs=0.2)
    assert lesson_bits._bits(float(counted.every.sum())) in html


def test_pictures_are_what_the_network_sees_and_say_what_was_sent_before(checkpoints, counted):
    html = lesson_bits.explain_bits(checkpoints, example())
    pictures = shown(html)
    said = re.findall(r"</i> = (\d+): ([\d.]+) bits</figcaption>", html)
    assert len(pictures) == len(said) == lesson_bits.PICTURES
    assert [int(t) for t, _ in said][:: len(said) - 1] == [999, 0]
    for picture, (t, bits) in zip(pictures, said):
        seen = counted.seen[counted.t.index(int(t))]
        torch.testing.assert_close(picture, seen.clamp(-1, 1), rtol=0, atol=1 / 120)
        assert float(bits) == pytest.approx(float(counted.sent[int(t)]), rel=0.06, abs=1e-6)


@pytest.mark.parametrize("strength, t0", [(0.6, 599), (1.0, 999), (0.0, None)])
def test_the_strength_of_the_first_tab_is_marked(checkpoints, strength, t0):
    html = lesson_bits.explain_bits(checkpoints, example(strength=strength))
    assert marked(html) == ({} if t0 is None else {"start": t0})


def test_one_call_of_the_network_that_is_not_told_the_drawing(checkpoints, monkeypatch):
    calls, model = [], checkpoints["tiny"].model
    forward = model.forward

    def spied(x, *args, **kwargs):
        calls.append((len(x), kwargs))
        return forward(x, *args, **kwargs)

    monkeypatch.setattr(model, "forward", spied)
    about = example()
    with NoTorch():
        lesson_bits.explain_bits(checkpoints, about)
    ((count, told),) = calls
    assert count <= lesson_bits.ASKED and "drawing" not in told


def test_every_schedule_and_any_length_has_a_plot(checkpoints):
    for kind, total in (("straight", 1000), ("linear", 2), ("cosine", 37)):
        tiny = replace(checkpoints["tiny"], schedule=NoiseSchedule(kind, total))
        html = lesson_bits.explain_bits({"tiny": tiny}, example())
        assert "nan" not in html and len(shown(html)) == lesson_bits.PICTURES
        assert f">{total - 1}</text>" in html


def test_before_anything_is_counted_there_are_axes_and_empty_frames(checkpoints):
    html = lesson_bits.bits_html(checkpoints["tiny"], example())
    assert "<polyline" not in html and "<img" not in html and html.count('class="empty"') == 4


def test_label_names_are_text_and_no_markup():
    tiny = tiny_checkpoint({"subject": ["<img src=x>"]}, [])
    html = lesson_bits.explain_bits({"tiny": tiny}, example(labels={"subject": "<img src=x>"}))
    assert "<img src=x" not in html

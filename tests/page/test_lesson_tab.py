"""The second tab without a browser: what its handlers show."""

from __future__ import annotations

import base64
import io
import re

import pytest
import torch
from PIL import Image

gr = pytest.importorskip("gradio")

from dataclasses import replace

from app_helpers import make_controls, texts, values_of
from conftest import apple_drawing, tiny_checkpoint
from diffusion import NoiseSchedule, Sampling, images, lesson, save_checkpoint
from diffusion.machine import best_precision
from diffusion.page import app, choices, lesson_tab, lesson_text
from diffusion.page.canvas_io import data_url, read_canvas
from diffusion.page.drawing import framed, read_drawing
from diffusion.page.session import paint


@pytest.fixture(scope="module")
def controls():
    return make_controls()


@pytest.fixture(scope="module")
def checkpoints(controls):
    return controls.checkpoints


def canvas(colour=(220, 40, 40)) -> dict:
    image = Image.new("RGB", (64, 64), "white")
    image.paste(colour, (16, 16, 48, 48))
    return {"picture": data_url(image), "keep": ""}


def look(controls, value="", labels=("cat", "noto"), **dials):
    return lesson_tab.look(controls, values_of(controls, value, labels, **dials), labels)


def shown(html: str) -> list[torch.Tensor]:
    """The pictures in some HTML, (3, R, R) each in [-1, 1]."""
    pictures = []
    for data in re.findall(r'src="data:image/png;base64,([^"]+)"', html):
        image = Image.open(io.BytesIO(base64.b64decode(data)))
        pictures.append(images.prepare(image, image.width, frame=False).x0[0])
    return pictures


# ---- what the lesson is about


def test_the_lesson_is_about_the_drawing_on_the_canvas(controls, checkpoints):
    example = look(controls, canvas())
    expected = framed(read_canvas(canvas())[0], checkpoints["tiny"], {}, True)
    assert torch.equal(example.x0, expected.x0)
    assert example.settings.labels == {"subject": "cat", "style": "noto"}
    assert "blank" not in lesson_text.explain_noising(checkpoints, example, 500)[1]


def test_a_blank_canvas_is_replaced_by_an_example_and_says_so(controls, checkpoints):
    white = {"picture": data_url(Image.new("RGB", (64, 64), "white")), "keep": ""}
    for value in ("", None, white):
        example = look(controls, value)
        assert example.x0.shape == (1, 3, 16, 16) and example.x0.min() < 0
        assert "blank" in lesson_text.explain_noising(checkpoints, example, 500)[1]


def test_the_example_shows_the_chosen_subject_or_an_apple(controls, checkpoints, monkeypatch, tmp_path):
    monkeypatch.setattr(choices, "DRAWINGS", tmp_path)
    blue = Image.new("RGB", (64, 64), "white")
    blue.paste((0, 0, 255), (16, 16, 48, 48))
    blue.save(tmp_path / "blue.png")
    apple_drawing(128).save(tmp_path / "apple.png")
    drawings = [{"subject": "cat", "file": "blue.png"}, {"subject": "cat", "file": "none.png"}]
    monkeypatch.setattr(choices, "example_drawings", lambda ckpt: drawings)
    middle = look(controls, labels=("cat", "noto")).x0[0, :, 8, 8].tolist()
    assert middle == pytest.approx([-1, -1, 1])
    apple = look(controls, labels=("pear", "photo")).x0
    assert torch.equal(apple, images.prepare(apple_drawing(128), 16).x0)


def test_a_damaged_drawing_is_one_sentence_and_an_example(controls, checkpoints, monkeypatch):
    warnings = []
    monkeypatch.setattr(lesson_tab.gr, "Warning", warnings.append)
    assert look(controls, {"picture": "data:image/png;base64,aGVsbG8=", "keep": ""}).canvas == ""
    assert len(warnings) == 1


def test_labels_of_another_model_give_way_to_the_nearest_it_has(controls, checkpoints):
    assert look(controls, labels=("ship", None)).settings.labels == {"subject": "apple", "style": "photo"}


# ---- parts 1 and 2


@pytest.mark.parametrize("t, signal, noise", [(0, "1.000", r"0.006"), (599, "0.584", "0.812")])
def test_the_equation_has_the_numbers_of_its_timestep(controls, checkpoints, t, signal, noise):
    equation, pictures, _ = lesson_text.explain_noising(checkpoints, look(controls, canvas()), t)
    assert rf"&= {signal}\;x_0 + {noise}\;\epsilon" in equation and f"x_{{{t}}}" in equation
    assert f"{signal} {lesson_text.X0}" in pictures and f"<sub>{t}</sub>" in pictures


def test_small_numbers_are_written_with_a_power_of_ten(controls, checkpoints):
    equation, *_ = lesson_text.explain_noising(checkpoints, look(controls), 999)
    assert r"\sqrt{2.4\cdot 10^{-9}}" in equation
    assert (
        lesson_text._latex(0.0) == "0"
        and lesson_text._latex(1.0) == "1"
        and lesson_text._latex(0.25) == "0.250"
    )


def test_the_pictures_are_signal_noise_and_their_sum(controls, checkpoints):
    example = look(controls, canvas())
    signal, noise, x_t = shown(lesson_text.explain_noising(checkpoints, example, 200)[1])
    parts = lesson.noise_parts(
        checkpoints["tiny"].schedule, example.x0, lesson.seeded_noise(example.x0, 7), 200
    )
    for picture, part in [(signal, parts.signal), (noise, parts.noise), (x_t, parts.x_t)]:
        assert torch.allclose(picture, part[0].float().clamp(-1, 1), atol=0.01)


def marked(plot: str) -> dict[str, int]:
    return {name: int(t) for name, t in re.findall(r'<circle class="(\w+)"[^>]* data-t="(\d+)"', plot)}


def test_the_plot_marks_t_and_t0_and_all_curves(controls, checkpoints):
    for strength, t0 in [(0.6, 599), (0.25, 249), (1, 999)]:
        _, _, plot = lesson_text.explain_noising(checkpoints, look(controls, strength=strength), 321)
        assert marked(plot) == {"start": t0, "now": 321}
    assert plot.count("<polyline") == 3 and "cosine, this network's" in plot
    _, _, plot = lesson_text.explain_noising(checkpoints, look(controls, strength=0), 0)
    assert marked(plot) == {"now": 0} and "no noise for strength 0" in plot


def test_the_curve_of_the_checkpoint_is_the_emphasised_one(controls, checkpoints):
    plot = lesson_text._plot(NoiseSchedule("linear"), 500, 0.6)
    assert "linear, this network's" in plot and plot.count('<polyline class="own"') == 1


@pytest.mark.parametrize("t, meant", [(None, 0), (5000, 999), (12.0, 12)])
def test_any_value_of_the_slider_is_a_timestep(controls, checkpoints, t, meant):
    assert f"x_{{{meant}}}" in lesson_text.explain_noising(checkpoints, look(controls), t)[0]
    lesson_text.explain_step(checkpoints, look(controls), t)


# ---- parts 3 and 4


def test_one_step_has_four_different_pictures_and_its_numbers(controls, checkpoints):
    equation, pictures = lesson_text.explain_step(checkpoints, look(controls, canvas(), eta=0.5), 599)
    four = shown(pictures)
    assert len(four) == 4
    assert all(not torch.allclose(a, b) for i, a in enumerate(four) for b in four[:i])
    checkpoint = checkpoints["tiny"].computing(best_precision())
    step = lesson.first_step(
        checkpoint, look(controls, canvas()).x0, 599, {"subject": "cat", "style": "noto"},
        Sampling(steps=10, guidance=2.0, eta=0.5), torch.Generator().manual_seed(7),
    )  # fmt: skip
    assert f"x_{{{step.t_prev}}}" in equation and f"{step.sigma:.3f}" in equation
    assert torch.allclose(four[3], step.x_prev[0].clamp(-1, 1), atol=0.01)


def test_the_last_step_says_that_it_ends_on_the_clean_picture(controls, checkpoints):
    equation, pictures = lesson_text.explain_step(checkpoints, look(controls, canvas()), 5)
    assert "the clean picture" in pictures and r"&= 1\;\hat x_0 + 0\;\hat\epsilon" in equation


@pytest.mark.parametrize("temperature", [0.25, 1])
def test_the_comparison_ends_with_the_pictures_of_the_first_tab(temperature):
    controls = make_controls({"tiny": tiny_checkpoint(drawing=True)})
    checkpoints = controls.checkpoints
    example = look(controls, canvas(), eta=0.5, temperature=temperature)
    frames = list(lesson_text.explain_dials(checkpoints, example))
    assert len(frames) == 6 and "Step 6 of 6" in frames[-1]
    six = shown(frames[-1])
    drawing = read_drawing(canvas(), checkpoints["tiny"], example.settings)
    for guidance, eta, picture in zip((1, 2, 4, 2, 2, 2), (0.5, 0.5, 0.5, 0, 0.5, 1), six, strict=True):
        settings = replace(example.settings, guidance=guidance, eta=eta)
        *_, last = paint(checkpoints["tiny"], drawing, settings)
        assert torch.allclose(picture, last.x0[0], atol=0.01)
    assert frames[-1].count("as set") == 2, "guidance 2 and eta 0.5"


def test_the_comparison_at_strength_0_shows_the_drawing(controls, checkpoints):
    (frame,) = lesson_text.explain_dials(checkpoints, look(controls, canvas(), strength=0))
    assert len(shown(frame)) == 6


def test_label_names_are_text_and_no_markup():
    names = {"subject": ["<img src=x>"]}
    example = look(make_controls({"tiny": tiny_checkpoint(names, [])}), labels=("<img src=x>",))
    assert "<img" not in lesson_text.dials_html(example)


# ---- the tab


def test_the_tab_names_its_sources_and_credits(tmp_path):
    save_checkpoint(tmp_path / "tiny.safetensors", tiny_checkpoint())
    shown = texts(app.build(tmp_path))
    for paper in ("2006.11239", "2102.09672", "2108.01073", "2010.02502", "2207.12598"):
        assert f"https://arxiv.org/abs/{paper}" in shown
    assert "Pictures of fruit, CC0" in shown

"""The second tab: the method, taken apart on the drawing of the first."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr
from PIL import Image

from .. import images
from ..checkpoint import Checkpoint
from . import choices, lesson_bits, lesson_text, lesson_ways
from .connect import MODEL, QUICK, UNCHECKED, UNSEEN
from .controls import Controls, Updates, Values
from .drawing import framed, read_drawing
from .handlers import in_a_sentence

HOW_IT_WORKS = """
Your drawing is shrunk to {size} x {size} pixels and covered with random noise: a little at a low strength, a
lot at a high one. A neural network then takes the noise away again, step by step, steered by the words you
chose: it follows your drawing where that can still be seen, and makes up the rest. Here are the parts of it,
one by one, on the drawing of the other tab; everything runs on the processor of this computer.
"""


IN_PIXELS = "This model draws in a latent space. Choose one that draws pixels to see how it works."


def how_it_works(checkpoint: Checkpoint) -> str:
    """What the tab begins with."""
    return HOW_IT_WORKS.format(size=checkpoint.image_size)


def credits_of(checkpoint: Checkpoint) -> str:
    """What it ends with."""
    credits = [re.sub(r"\s+", " ", credit) for credit in checkpoint.credits]
    return "The network was trained on:\n" + "\n".join(f"- {credit}" for credit in credits) if credits else ""


def look(controls: Controls, values: Values, chosen: list[str | None]) -> lesson_text.Example:
    """What the first tab holds now; an example drawing takes the place of a blank canvas.

    Args:
        chosen: the labels, which may be another checkpoint's.

    Raises:
        ValueError: a value that the controls cannot have, or a model of which there is nothing to see.
    """
    settings = controls.read(values)
    checkpoint = controls.checkpoints[settings.model]
    if not checkpoint.codec.in_pixels:
        raise ValueError(IN_PIXELS)
    labels = choices.settled_labels(checkpoint, chosen)
    settings = replace(settings, labels=labels, enlarge=False, solver="ddim")  # whose steps it explains
    canvas = values[controls.canvas]
    try:
        drawing = read_drawing(canvas, checkpoint, settings)
    except images.ImageError as error:
        gr.Warning(str(error))
        drawing = None
    if drawing:
        # Not the value itself: each open tab keeps an example, and a value may have megabytes.
        digest = hashlib.sha256(repr(canvas).encode(errors="replace")).hexdigest()
        return lesson_text.Example(settings, digest, drawing.prepared.x0.numpy())
    prepared = framed(_stand_in(checkpoint, labels), checkpoint, labels, settings.colour)
    assert prepared is not None, "an example drawing is never blank"
    return lesson_text.Example(settings, "", prepared.x0.numpy())


def _stand_in(checkpoint: Checkpoint, labels: dict[str, str]) -> Image.Image:
    """The example drawing of the chosen subject, or of an apple."""
    drawings = reversed(choices.example_drawings(checkpoint))
    files = {drawing["subject"]: drawing["file"] for drawing in drawings}
    return images.load(choices.DRAWINGS / files.get(next(iter(labels.values()), ""), "apple.png"))


@dataclass(frozen=True)
class Lesson:
    """The parts of the second tab."""

    example: gr.State  # what it is about, an `Example`
    how: gr.Markdown
    t: gr.Slider
    noising_equation: gr.Markdown
    noising: gr.HTML
    plot: gr.HTML
    step_equation: gr.Markdown
    step: gr.HTML
    compare: gr.Button
    dials: gr.HTML
    told: gr.HTML
    walk: gr.Button
    ways: gr.HTML
    count: gr.Button
    bits: gr.HTML
    credits: gr.Markdown


def ways_of(checkpoints: dict[str, Checkpoint], example: lesson_text.Example) -> str:
    """The last part before anything is painted."""
    return lesson_ways.ways_html(
        [way.name for way in lesson_ways.ways(checkpoints, example.settings.model)], []
    )


def lesson(controls: Controls) -> Lesson:
    """The tab, filled in for what the first one opens with."""
    checkpoints = controls.checkpoints
    first = next(iter(checkpoints.values()))
    start = look(controls, controls.at_first, controls.chosen(controls.at_first))

    def words(text: str, **kwargs: Any) -> gr.Markdown:
        return gr.Markdown(text, latex_delimiters=lesson_text.INLINE_LATEX, **kwargs)

    def pictures(elem_id: str, value: str = "") -> gr.HTML:
        return gr.HTML(value, elem_id=elem_id, elem_classes="shown", apply_default_css=False)

    parts: dict[str, Any] = {"example": gr.State(start)}
    with gr.Column(elem_id="lesson"):
        parts["how"] = gr.Markdown(how_it_works(first), elem_id="how")
        with gr.Column(elem_id="time"):
            last = max(checkpoint.schedule.num_train_timesteps for checkpoint in checkpoints.values()) - 1
            parts["t"] = gr.Slider(
                0, last, round(0.6 * last), step=1, buttons=[],
                label="Timestep t", info=lesson_text.TIME_INFO.format(last=last),
            )  # fmt: skip
        with gr.Column(elem_classes="part"):
            words(lesson_text.NOISING)
            parts["noising_equation"] = words("", elem_id="noising-equation")
            parts["noising"] = pictures("noising")
        with gr.Column(elem_classes="part"):
            words(lesson_text.SCHEDULE)
            parts["plot"] = pictures("schedule")
        with gr.Column(elem_classes="part"):
            words(lesson_text.STEP)
            parts["step_equation"] = words("", elem_id="step-equation")
            parts["step"] = pictures("step")
        with gr.Column(elem_classes="part"):
            words(lesson_text.DIALS)
            parts["compare"] = gr.Button(lesson_text.COMPARE, variant="primary", elem_id="compare")
            parts["dials"] = pictures("dials", lesson_text.dials_html(start))
        with gr.Column(elem_classes="part"):
            words(lesson_ways.TOLD)
            parts["told"] = pictures("told", lesson_ways.told_html(checkpoints[start.settings.model], start))
        with gr.Column(elem_classes="part"):
            words(lesson_ways.WAYS)
            parts["walk"] = gr.Button(lesson_ways.WALK, variant="primary", elem_id="walk")
            parts["ways"] = pictures("ways", ways_of(checkpoints, start))
        with gr.Column(elem_classes="part"):
            words(lesson_bits.BITS)
            parts["count"] = gr.Button(lesson_bits.COUNT, variant="primary", elem_id="count-bits")
            parts["bits"] = pictures("bits", lesson_bits.bits_html(checkpoints[start.settings.model], start))
        parts["credits"] = gr.Markdown(credits_of(first), elem_id="credits")
    return Lesson(**parts)


def connect_lesson(tab: gr.Tab, controls: Controls, parts: Lesson) -> None:
    """The tab follows the first one when it is opened or the model changes, and its own slider."""
    checkpoints, example, dials = controls.checkpoints, parts.example, parts.dials
    shown = [dials, parts.told, parts.ways, parts.bits]

    def about(new: lesson_text.Example) -> Updates:
        """What follows the first tab without being asked to paint."""
        checkpoint = checkpoints[new.settings.model]
        told, bits = lesson_ways.told_html(checkpoint, new), lesson_bits.bits_html(checkpoint, new)
        return dict(zip(shown, (lesson_text.dials_html(new), told, ways_of(checkpoints, new), bits)))

    @in_a_sentence
    def open_lesson(values: Values) -> Updates:
        new = look(controls, values, controls.chosen(values))
        return {example: new, **(dict.fromkeys(shown, gr.skip()) if new == values[example] else about(new))}

    @in_a_sentence
    def switch_model(values: Values) -> Updates:
        # Not the selectors: the first tab is giving them other choices at this very moment.
        new = look(controls, values, controls.wanted(values, list(values[example].settings.labels.values())))
        checkpoint = checkpoints[new.settings.model]
        return {
            example: new, **about(new),
            parts.how: how_it_works(checkpoint), parts.credits: credits_of(checkpoint),
        }  # fmt: skip

    quick, painting = {**QUICK, **UNCHECKED}, {**UNSEEN, **UNCHECKED, **MODEL}
    noised: dict[str, Any] = {
        "fn": partial(lesson_text.explain_noising, checkpoints),
        "inputs": [example, parts.t],
        "outputs": [parts.noising_equation, parts.noising, parts.plot],
    }
    stepped: dict[str, Any] = {
        "fn": partial(lesson_text.explain_step, checkpoints),
        "inputs": [example, parts.t],
        "outputs": [parts.step_equation, parts.step],
    }
    opened = tab.select(open_lesson, {example, *controls.all}, [example, *shown], **quick)
    known = {example, controls.wishes, *controls.all} - set(controls.labels)
    switched = controls.model.input(switch_model, known, [example, *shown, parts.how, parts.credits], **quick)
    for event in (opened, switched):
        event.then(**noised, **quick).then(**stepped, **painting)
    parts.t.input(**noised, trigger_mode="always_last", **quick)
    parts.t.input(**stepped, trigger_mode="always_last", **painting)
    explain_dials = partial(lesson_text.explain_dials, checkpoints)
    explain_ways = partial(lesson_ways.explain_ways, checkpoints)
    parts.walk.click(explain_ways, example, parts.ways, trigger_mode="once", **painting)
    explain_bits = partial(lesson_bits.explain_bits, checkpoints)
    parts.count.click(explain_bits, example, parts.bits, trigger_mode="once", **painting)
    parts.compare.click(explain_dials, example, dials, trigger_mode="once", **painting)

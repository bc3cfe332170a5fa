"""What stands on the first tab, and where. What happens between the parts stands in connect.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from ..checkpoint import Checkpoint
from ..kinds import COLOURED
from ..machine import PRECISIONS, multiplies_bf16
from .choices import (
    FIRST,
    STRENGTH_SAYS,
    example_drawings,
    in_words,
    more_like,
    offered_colours,
    settled_labels,
    words_of,
)
from .components import (
    doodle_canvas,
    example_row,
    gallery_row,
    guess_row,
    keyboard_line,
    result_view,
    word_box,
)
from .controls import Controls, selector_updates
from .guesses import Guesser
from .session import Session
from .settings import DEFAULTS, RANGES
from .theme import TAGLINE, TITLE

MORE_DRAWING = "More like my drawing"
SOLVER_NAMES = [("DDIM", "ddim"), ("DDPM", "ddpm"), ("Heun", "heun"), ("DPM-Solver++", "dpm++")]
VARIATIONS = [("1 picture", 1), ("4", 4), ("9", 9)]


class Strength(NamedTuple):
    """The dial, and the buttons that search it."""

    dial: gr.Slider
    less: gr.Button
    more: gr.Button


class Actions(NamedTuple):
    """What starts and ends runs, and how many pictures they are of."""

    go: gr.Button
    dice: gr.Button
    stop: gr.Button
    live: gr.Checkbox
    enlarge: gr.Checkbox
    lines: gr.Checkbox
    pictures: gr.Radio


@dataclass(frozen=True)
class Workspace:
    """The parts of the first tab."""

    controls: Controls
    gallery: gr.HTML
    examples: gr.HTML
    guesses: gr.HTML
    view: gr.HTML
    strength: Strength
    actions: Actions
    session: gr.State
    number: gr.Number  # of the newest run asked for: it travels to the page and back, see `Session`


def header() -> None:
    """The title."""
    gr.HTML(f"<h1>{TITLE}</h1><p>{TAGLINE}</p>", elem_id="title")


def workspace(checkpoints: dict[str, Checkpoint], guess: Guesser | None = None) -> Workspace:
    """The two canvases and the controls; `guess` says what a drawing may be."""
    name, first = next(iter(checkpoints.items()))
    session = gr.State(Session())
    number = gr.Number(0, precision=0, visible="hidden")
    with gr.Column(elem_id="workspace"):
        with gr.Column(elem_id="drawing"):
            names = list(settled_labels(first, FIRST).values())
            canvas = doodle_canvas(offered_colours(first, names))
            guesses = guess_row(guess, next(iter(first.label_names), ""), name)
            gallery = gallery_row()
            examples = example_row(example_drawings(first))
        with gr.Column(elem_id="painting"):
            view = result_view()
        with gr.Row(elem_id="controls"):
            with gr.Row(elem_id="labels"):
                labels = _labels(first, max(len(each.label_names) for each in checkpoints.values()))
            strength = _strength(names)
            actions = _actions(first)
    with gr.Accordion("Advanced settings", open=False, elem_id="advanced"), gr.Row():
        dials = {
            "strength": strength.dial,
            **_advanced(first),
            "enlarge": actions.enlarge,
            "lines": actions.lines,
        }
        model = gr.Dropdown(
            [(in_words(each, title), title) for title, each in checkpoints.items()],
            value=name,
            label="Model",
            info="What paints: another one knows other things",
            visible=len(checkpoints) > 1,
            elem_id="picker",
        )
    keyboard_line()
    wishes = gr.State({})
    controls = Controls(checkpoints, model, canvas, labels, wishes, dials)
    return Workspace(controls, gallery, examples, guesses, view, strength, actions, session, number)


def _labels(checkpoint: Checkpoint, count: int) -> list[gr.HTML | gr.Radio]:
    """A searchable list for the first label kind, buttons for those that depend on it."""
    selectors: list[gr.HTML | gr.Radio] = []
    for i, update in enumerate(selector_updates(checkpoint, FIRST, count)):
        update.pop("__type__")
        kwargs = {**update, "elem_id": f"label-{i}", "min_width": 160}
        selectors.append(gr.Radio(**kwargs) if i else word_box(words_of(checkpoint), **kwargs))
    return selectors


def _strength(names: list[str]) -> Strength:
    with gr.Column(elem_id="dial"):
        dial = _slider("strength", 0.01, STRENGTH_SAYS[COLOURED], elem_id="strength")
        with gr.Row(elem_id="search"):
            less = gr.Button(MORE_DRAWING, size="sm", elem_id="less")
            more = gr.Button(more_like(names), size="sm", elem_id="more")
    return Strength(dial, less, more)


def _actions(checkpoint: Checkpoint) -> Actions:
    with gr.Column(elem_id="actions"):
        with gr.Row(elem_id="buttons"):
            go = gr.Button("Generate", variant="primary", elem_id="generate")
            dice = gr.Button("Another", elem_id="dice")
            stop = gr.Button("Stop", variant="stop", elem_id="stop")
        with gr.Row(elem_id="ways"):
            live = gr.Checkbox(False, label="Live", container=False, elem_id="live", min_width=60)
            enlarge = gr.Checkbox(
                DEFAULTS.enlarge, label="Enlarge", container=False, elem_id="enlarge", min_width=60,
                visible=checkpoint.enlarges,
            )  # fmt: skip
            lines = gr.Checkbox(
                DEFAULTS.lines, label="My lines", container=False, elem_id="lines", min_width=60
            )
            pictures = gr.Radio(
                VARIATIONS, value=1, show_label=False, container=False, elem_id="pictures", min_width=60
            )
    return Actions(go, dice, stop, live, enlarge, lines, pictures)


def _advanced(checkpoint: Checkpoint) -> dict[str, gr.Slider | gr.Number | gr.Checkbox | gr.Radio]:
    low, high = RANGES["seed"]
    return {
        "steps": _slider("steps", 1, "More take longer and look cleaner"),
        "guidance": _slider("guidance", 0.1, "How much the words count, 1: off"),
        "eta": _slider("eta", 0.05, "Fresh noise in each step, 0: none", visible=False),  # it is DDIM's
        "temperature": _slider("temperature", 0.05, "Low: true to the drawing; high: surprises"),
        "steering": _slider(
            "steering", 0.5, "How hard a classifier pulls, 0: off",
            visible=checkpoint.guide is not None,
        ),
        "seed": gr.Number(
            DEFAULTS.seed, precision=0, minimum=low, maximum=high, label="Seed",
            info="Same seed, same picture; Another picks a new one", elem_id="seed",
        ),
        "colour": gr.Checkbox(
            DEFAULTS.colour, label="Colour in outlines", info="Fills a drawing that is only lines",
            visible=not checkpoint.takes_lines, elem_id="colour",
        ),
        "solver": gr.Radio(
            SOLVER_NAMES, value=DEFAULTS.solver, label="Solver", elem_id="solver",
            info="12 steps of DPM-Solver++ are 20 of DDIM; DDPM adds noise; Heun's take twice as long",
        ),
        "precision": gr.Radio(
            list(PRECISIONS), value=DEFAULTS.precision, label="Arithmetic", elem_id="precision",
            info="bf16 is faster where the processor has it; a seed's picture differs a little",
            visible=multiplies_bf16(),
        ),
    }  # fmt: skip


def _slider(name: str, step: float, info: str, **kwargs: Any) -> gr.Slider:
    """One of the numbers of `Settings`."""
    value, label = getattr(DEFAULTS, name), name.capitalize()
    return gr.Slider(*RANGES[name], value, step=step, buttons=[], label=label, info=info, **kwargs)

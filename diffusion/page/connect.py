"""What happens between the parts of the first tab, one function for each theme.

    connect_runs      Generate, Another, Stop, and the place in the line
    connect_live      a new run after every change
    connect_steps     one of several pictures, going on from a step, the animation
    connect_search    more like my drawing, more like an apple
    connect_choices   words that depend on words
    connect_kinds     the strength that becomes a kind of drawing
    connect_restore   settings that come from a link, a file or an earlier picture

A run takes two trips to the server. Asking is not queued: it tells the run that is going on to end before the
new one takes its turn. Painting is queued, and brings the drawing along (see `Session`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ..kinds import COLOURED, STRENGTHS
from . import handlers
from .choices import STRENGTH_SAYS, any_labels, example_drawings, more_like, offered_colours
from .controls import Controls, Updates, Values
from .layout import Workspace
from .messages import FAILED_JS, Message
from .settings import DEFAULTS, MAX_PICTURES, MAX_SEED, known_settings, read_settings
from .worker import TOGETHER

FOUND_SETTINGS = "That picture brought its settings along; they are set again."

MODEL: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": TOGETHER}  # runs that share calls
UNSEEN: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
QUICK: dict[str, Any] = {"queue": False, **UNSEEN}
EACH: dict[str, Any] = {"trigger_mode": "multiple", **QUICK}
# Values as the browser sends them. Our own handlers check them and say what is wrong in a sentence; Gradio's
# check would come before them, and a list that sends its event twice would fail it: the answer to the first
# may have ruled out the second's words.
UNCHECKED: dict[str, Any] = {"preprocess": False}
# People are quicker than answers: what they chose meanwhile is asked for next.
LAST: dict[str, Any] = {"trigger_mode": "always_last", **QUICK, **UNCHECKED}

CHANGED = "() => { window.dispatchEvent(new Event('doodle:changed')); }"
# A picture that is only enlarged is not repainted as well, unless somebody turns the strength up.
ENLARGE = f"(on) => on ? 0 : {DEFAULTS.strength}"
LINES = "(on) => { window.dispatchEvent(new CustomEvent('doodle:lines', { detail: on })); }"
LIVE = "(on) => { document.body.dataset.live = on ? 'on' : ''; (" + CHANGED + ")(); }"
PICKED = "() => { window.dispatchEvent(new Event('doodle:picked')); (" + CHANGED + ")(); }"
TELL: dict[str, Any] = {"fn": None, "js": CHANGED, **QUICK}  # result/main.js: a new run where Live is on
SENT = """(...values) => {{
  const detail = {{ run: values[{number}], drawing: values[{canvas}] }};
  window.dispatchEvent(new CustomEvent('doodle:sent', {{ detail }}));
  return values;
}}"""


def connect(demo: gr.Blocks, ws: Workspace) -> Dependency:
    """Everything that happens on the first tab; what comes last as the page is opened."""
    connect_runs(ws)
    connect_live(ws)
    connect_steps(ws)
    connect_search(ws)
    connect_choices(ws)
    connect_kinds(ws)
    return connect_restore(demo, ws)


def connect_runs(ws: Workspace) -> None:
    """Generate, Another, Stop."""
    actions = ws.actions
    many: dict[str, Any] = {
        "fn": handlers.ask,
        "inputs": [ws.session, actions.pictures],
        "outputs": [ws.number, ws.view],
    }
    dice = actions.dice.click(_any_seed, None, ws.controls.dials["seed"], **QUICK)
    for asking in (actions.go.click, dice.then):
        _paint_after(ws, asking(**many, **EACH, **UNCHECKED))
    ws.view.waiting(handlers.where_in_line, ws.session, ws.view, **EACH)
    actions.stop.click(handlers.call_off, ws.session, ws.view, **QUICK)


def _any_seed() -> int:
    return random.randint(0, MAX_SEED - MAX_PICTURES + 1)


def _ask_one(ws: Workspace) -> dict[str, Any]:
    """An event that asks for a run of one picture."""
    return {"fn": handlers.ask, "inputs": ws.session, "outputs": [ws.number, ws.view], **EACH}


def _paint_after(ws: Workspace, asked: Dependency) -> None:
    """The run that was asked for. Whatever goes wrong on the way ends the page's waiting.

    Handlers end it with their own sentence. The browser does where none of them could: Gradio refused what it
    sent, the queue was full, or a handler failed.
    """
    controls = ws.controls

    def paint(values: Values) -> Iterator[Message]:
        yield from handlers.generate(values[ws.session], values[ws.number], controls, values)

    inputs = {ws.session, ws.number, *controls.all}
    order = sorted(inputs, key=lambda component: component._id)  # as Gradio sends a set
    sent = SENT.format(number=order.index(ws.number), canvas=order.index(controls.canvas))
    painted = asked.then(
        paint, inputs, ws.view, js=sent, trigger_mode="multiple", **UNSEEN, **UNCHECKED, **MODEL
    )
    for event in (asked, painted):
        event.failure(None, ws.number, ws.view, js=FAILED_JS, **EACH)


def connect_live(ws: Workspace) -> None:
    """With Live on, a new run after every stroke and every change of a control."""
    controls = ws.controls
    _paint_after(ws, ws.view.redraw(**{**_ask_one(ws), "fn": partial(handlers.ask, drawing=True)}))
    controls.canvas.stroke(**TELL)
    for name, dial in controls.dials.items():
        if name == "lines":  # the same picture, seen otherwise
            dial.input(None, dial, js=LINES, **QUICK)
            continue
        changed = dial.release if isinstance(dial, gr.Slider) else dial.input
        if name == "enlarge":
            changed = changed(None, dial, ws.strength.dial, js=ENLARGE, **QUICK).then
        changed(**TELL)
    ws.actions.live.change(None, ws.actions.live, js=LIVE, **QUICK)


def connect_steps(ws: Workspace) -> None:
    """What is done with a picture that was made."""
    outputs = [ws.number, ws.view]
    _paint_after(ws, ws.view.resume(handlers.ask_from, ws.session, outputs, **EACH))
    ws.view.choose(handlers.choose_one, ws.session, ws.view, **EACH)
    ws.view.gif(handlers.make_gif, ws.session, ws.view, **UNSEEN)
    ws.view.large(handlers.make_large, ws.session, ws.view, **UNSEEN)


def connect_search(ws: Workspace) -> None:
    """Two buttons that search the strength between them by halving."""
    strength = ws.strength
    for button, more_real in ((strength.less, False), (strength.more, True)):
        halve = partial(handlers.search_strength, more_real=more_real)
        halved = button.click(halve, [ws.session, strength.dial], strength.dial, **EACH, **UNCHECKED)
        _paint_after(ws, halved.then(**_ask_one(ws)))


def choose(ws: Workspace, model: str, wanted: list[str | None]) -> Updates:
    """What follows from the words wanted: the words on offer, a button's, and the colours on offer."""
    controls = ws.controls
    checkpoint = controls.checkpoints[model]
    lists = controls.offer(checkpoint, wanted)
    names = [update["value"] for update in lists.values()]
    colours = gr.HTML(typical=offered_colours(checkpoint, names))
    return {**lists, ws.strength.more: more_like(names), controls.canvas: colours}


def switch(ws: Workspace, model: str, wanted: list[str | None]) -> Updates:
    """What follows from another model: its names, examples, and what else can be done with a picture."""
    checkpoint = ws.controls.checkpoints[model]
    shown = example_drawings(checkpoint)
    return {
        **choose(ws, model, wanted),
        **ws.controls.offer_all(checkpoint, wanted),
        ws.examples: gr.update(value=shown, visible=bool(shown)),
        ws.guesses: gr.HTML(kind=next(iter(checkpoint.label_names), ""), model=model),
        ws.controls.dials["colour"]: gr.update(visible=not checkpoint.takes_lines),
        ws.controls.dials["steering"]: gr.update(visible=checkpoint.guide is not None),
        ws.actions.enlarge: gr.update(visible=checkpoint.enlarges),
    }


def connect_choices(ws: Workspace) -> None:
    """Words that depend on words: the choices of each kind on the kinds before it, all on the model."""
    controls = ws.controls

    @handlers.in_a_sentence
    def choose_words(values: Values) -> Updates:
        updates = choose(ws, controls.model_name(values), controls.wanted(values))
        box = controls.labels[0]
        if updates[box]["value"] == values[box]:
            del updates[box]  # the next name may stand in it by now
        return updates

    @handlers.in_a_sentence
    def choose_example(values: Values, event: gr.EventData) -> Updates:
        model, subject = controls.model_name(values), handlers.told(event, "subject")
        wanted = controls.wanted(values, [subject])
        if not handlers.told(event, "surprise"):
            return choose(ws, model, wanted)
        wanted[1:] = any_labels(controls.checkpoints[model], subject)
        return {**choose(ws, model, wanted), controls.dials["seed"]: _any_seed()}

    @handlers.in_a_sentence
    def choose_model(values: Values) -> Updates:
        return switch(ws, controls.model_name(values), controls.wanted(values))

    words = [*controls.labels, ws.strength.more, controls.canvas]
    leading = max(1, len(controls.labels) - 1)  # the colours depend on the first, whether others do or not
    for place, selector in enumerate(controls.labels):
        changed = selector.input
        if place:
            wish = partial(_wish, controls, place)
            changed = changed(wish, controls.words, [controls.wishes, selector], **LAST).then
        if place < leading:
            changed(choose_words, controls.words, words, **LAST).then(**TELL)
        else:
            selector.input(**TELL)
    outputs = [*words, controls.dials["seed"]]
    ws.examples.pick(choose_example, controls.words, outputs, **QUICK, **UNCHECKED).then(
        **{**TELL, "js": PICKED}
    )
    shown = [controls.dials[name] for name in ("colour", "steering")]
    everything = [*words, ws.examples, ws.guesses, *shown, ws.actions.enlarge]
    solver, eta = (controls.dials[name] for name in ("solver", "eta"))
    solver.change(lambda chosen: gr.Slider(visible=chosen == "ddim"), solver, eta, **QUICK, **UNCHECKED)
    controls.model.input(choose_model, controls.words, everything, **QUICK, **UNCHECKED).then(**TELL)


def connect_kinds(ws: Workspace) -> None:
    """Outlines, colours and photos: to each its strength, and a word on it."""
    dial = ws.strength.dial

    def become(strength: object, event: gr.EventData) -> Any:
        kind = handlers.told(event, "kind")
        if not isinstance(kind, str) or kind not in STRENGTHS:
            return gr.skip()
        if strength not in STRENGTHS.values():  # set by hand, it stays
            return gr.update(info=STRENGTH_SAYS[COLOURED])
        return gr.update(value=STRENGTHS[kind], info=STRENGTH_SAYS[kind])

    ws.guesses.recognised(become, dial, dial, **QUICK, **UNCHECKED).then(**TELL)


@handlers.in_a_sentence
def _wish(controls: Controls, place: int, values: Values) -> Updates:
    """What a person has chosen is what they wish for, also where the next subject cannot have it."""
    selector = controls.labels[place]
    return {
        controls.wishes: {**values[controls.wishes], place: values[selector]},
        selector: gr.update(info=""),
    }


def restore(ws: Workspace, wishes: object, values: Values) -> Updates:
    """Set the controls again to what is known of the wishes; nothing known changes nothing."""
    controls = ws.controls
    picked = controls.model_name(values)
    found = known_settings(wishes, controls.checkpoints, picked) if isinstance(wishes, Mapping) else {}
    if not found:
        return gr.skip()
    model = found.get("model", picked)
    labels = dict(zip(controls.checkpoints[picked].label_names, controls.wanted(values)))
    labels |= found.get("labels", {})
    wanted = [labels.get(kind) for kind in controls.checkpoints[model].label_names]
    new = {place: name for place, name in enumerate(wanted) if place and name}
    updates = {controls.model: model, controls.wishes: {**values[controls.wishes], **new}}
    updates |= (choose if model == picked else switch)(ws, model, wanted)
    for dial, update in controls.write(found).items():
        updates[dial] = {**updates.get(dial, {}), **update}
    return updates


def connect_restore(demo: gr.Blocks, ws: Workspace) -> Dependency:
    """Settings that come from an earlier picture, a file or a link."""
    controls = ws.controls

    @handlers.in_a_sentence
    def restore_own(values: Values, event: gr.EventData) -> Updates:
        return restore(ws, handlers.told(event, "settings"), values)

    @handlers.in_a_sentence
    def restore_found(values: Values, event: gr.EventData) -> Updates:
        wishes = read_settings(handlers.told(event, "text"))
        if wishes:
            gr.Info(FOUND_SETTINGS)
        return restore(ws, wishes, values)

    @handlers.in_a_sentence
    def restore_link(values: Values, request: gr.Request) -> Updates:
        return restore(ws, dict(request.query_params), values)

    outputs = [*controls.all, controls.wishes, ws.strength.more, ws.examples, ws.guesses]
    unchecked = {**QUICK, **UNCHECKED}
    ws.gallery.restore(restore_own, controls.words, outputs, **unchecked)
    said = {**unchecked, "queue": True}  # only what is queued can say something in a corner of the page
    ws.gallery.found(restore_found, controls.words, outputs, **said).then(**TELL)
    return demo.load(restore_link, controls.words, outputs, **unchecked)

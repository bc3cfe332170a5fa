"""The page's own components: markup and modules from assets/web, put on the page by Gradio's gr.HTML.

These are plain functions: Gradio writes a .pyi file beside the module of every subclass of a component.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from .choices import Example, Typical, Words
from .guesses import Guesser
from .settings import PNG_KEY
from .web import WEB, js_on_load


def doodle_canvas(typical: Typical | None = None) -> gr.HTML:
    """A canvas to draw on; its value is what `read_canvas` reads, its event `stroke` follows every change.

    The property `typical` can be set anew without touching what is drawn.
    """
    return _component(
        "canvas.html", "canvas/main.js", ["stroke"], "", elem_id="canvas", typical=typical or {}
    )


def word_box(words: Words, value: str | None, **kwargs: Any) -> gr.HTML:
    """A box to type in what it is, with a list of all names; its value is the name chosen.

    Its event `input` says that a person chose another. The property `words` can be set anew.
    """
    return _component("words.html", "words/main.js", ["input"], value, words=words, **kwargs)


def guess_row(guess: Guesser | None, kind: str, model: str) -> gr.HTML:
    """What the drawing may be, to click on; hidden where there is nobody to guess.

    The browser asks `guess` after every change of the drawing. The event `recognised` {kind} says that it is
    of another kind now. The properties `model`, the one that is to paint, and `kind`, what it is that is
    guessed, can be set anew.
    """
    asked = [guess] if guess else None
    about: dict[str, Any] = {"kind": kind, "model": model, "visible": bool(guess), "server_functions": asked}
    return _component("guesses.html", "guesses.js", ["recognised"], None, elem_id="guesses", **about)


def result_view() -> gr.HTML:
    """Shows the frames of a run as they arrive; its value is the latest `Message`.

    Its events: `redraw` asks for a new run, `waiting` for its place in the line, `resume` {run, k, step} for
    one that goes on from a step; `choose`, `gif` and `large` {run, k} are about one of the pictures of a run.
    """
    events = ["redraw", "waiting", "resume", "choose", "gif", "large"]
    return _component("result.html", "result/main.js", events, None, elem_id="view")


def example_row(drawings: list[Example]) -> gr.HTML:
    """Example drawings to click on, which is the event `pick` {subject, surprise}."""
    shown = bool(drawings)
    return _component("examples.html", "examples.js", ["pick"], drawings, elem_id="examples", visible=shown)


def gallery_row() -> gr.HTML:
    """The pictures made in this browser, and what the tab was about to make, kept there.

    Its events ask to set the controls again: `restore` {settings} to those of one of them, or to those of
    the tab when it was left, once the value is "open"; `found` {text} to what a file brought along.
    """
    events = ["restore", "found"]
    return _component("gallery.html", "gallery/main.js", events, None, elem_id="gallery", png_key=PNG_KEY)


def keyboard_line() -> gr.HTML:
    """Says which keys the page knows, and listens for them."""
    return _component("keys.html", "keys.js", [], None, elem_id="keyboard")


def _component(markup: str, module: str, events: Sequence[str], value: Any, **kwargs: Any) -> gr.HTML:
    """Files of assets/web as a component; `kwargs` that gr.HTML does not know can be used in the markup."""
    text, script = (WEB / markup).read_text(encoding="utf-8"), js_on_load(module, events)
    return gr.HTML(value, html_template=text, js_on_load=script, apply_default_css=False, **kwargs)

"""The page's own components: markup and scripts from assets/web, put on the page by Gradio's gr.HTML.

How the scripts get into the page stands here alone, in `_component`. These are plain functions: Gradio writes
a .pyi file beside the module of every subclass of a component.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from .choices import Example, Typical
from .settings import PNG_KEY

WEB = Path(__file__).parents[2] / "assets" / "web"


def doodle_canvas(typical: Typical | None = None) -> gr.HTML:
    """A canvas to draw on; its value is what `read_canvas` reads, its event `stroke` follows every change.

    The property `typical` can be set anew without touching what is drawn.
    """
    scripts = ["canvas.js", "tools.js", "pictures.js", "camera.js"]
    return _component("canvas.html", scripts, "", elem_id="canvas", typical=typical or {})


def result_view() -> gr.HTML:
    """Shows the frames of a run as they arrive; its value is the latest `Message`.

    Its events: `redraw` asks for a new run, `resume` {run, k, step} for one that goes on from a step;
    `choose` and `gif` {run, k} are about one of the pictures of a run.
    """
    return _component("result.html", ["result.js"], None, elem_id="view")


def example_row(drawings: list[Example]) -> gr.HTML:
    """Example drawings to click on, which is the event `pick` {subject}."""
    return _component("examples.html", ["examples.js"], drawings, elem_id="examples", visible=bool(drawings))


def gallery_row() -> gr.HTML:
    """The pictures made since the page was opened, kept in the browser.

    Its events ask to set the controls again: `restore` {settings} to those of one of them, `found` {text} to
    what a file brought along.
    """
    return _component("gallery.html", ["gallery.js"], None, elem_id="gallery", png_key=PNG_KEY)


def keyboard_line() -> gr.HTML:
    """Says which keys the page knows, and listens for them."""
    return _component("keys.html", ["keys.js"], None, elem_id="keyboard")


def _component(markup: str, scripts: list[str], value: Any, **kwargs: Any) -> gr.HTML:
    """Files of assets/web as a component; `kwargs` that gr.HTML does not know can be used in the markup."""
    code = "\n".join(_text(script) for script in scripts)
    return gr.HTML(value, html_template=_text(markup), js_on_load=code, apply_default_css=False, **kwargs)


def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")

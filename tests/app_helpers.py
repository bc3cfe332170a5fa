"""The page's controls without a browser, and what a browser would send of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import gradio as gr
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import Checkpoint
from diffusion.page import handlers, layout
from diffusion.page.controls import Controls, Values
from diffusion.page.messages import Frame, Message
from diffusion.page.session import Place, Session, Ticket


def make_controls(checkpoints: dict[str, Checkpoint] | None = None) -> Controls:
    """The controls of a page, by default of one with a tiny model."""
    checkpoints = checkpoints or {"tiny": tiny_checkpoint()}
    with gr.Blocks():
        return layout.workspace(checkpoints).controls


def values_of(
    controls: Controls, canvas: dict | str | None = "", labels=("apple", "noto"), model="tiny", **dials
) -> Values:
    """What the browser sends; dials that are not named stand where the page opens, but for ten steps."""
    set_ones = {controls.dials[name]: value for name, value in {"steps": 10, **dials}.items()}
    words = {controls.model: model, controls.canvas: canvas, **dict(zip(controls.labels, labels))}
    return {**controls.at_first, **words, **set_ones}


def start(
    controls: Controls, session: Session, canvas="", *, count=1, after: Place | None = None, **chosen
) -> Iterator[Message]:
    """A run that was asked for, from a person's click to the result."""
    number = session.ask(Ticket(count, after))
    return handlers.generate(session, number, controls, values_of(controls, canvas, **chosen))


def frames_of(messages: list[Message]) -> list[Frame]:
    return [frame for message in messages for frame in message.get("frames", [])]


def decoded(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))


def texts(demo: gr.Blocks) -> str:
    """All that a page shows at first."""
    return " ".join(str(c["props"].get("value")) for c in demo.get_config_file()["components"])

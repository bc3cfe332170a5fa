"""A page with nothing but the canvas."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial

import gradio as gr

from diffusion.page import app
from diffusion.page.canvas_io import read_canvas
from diffusion.page.components import doodle_canvas

from .actions import CANVAS_READY, PATIENCE

RED, WHITE = (226, 59, 59), (255, 255, 255)


class CanvasPage:
    """A page with nothing but the canvas, and what its events bring to Python."""

    def __init__(self):
        self.sent: list[dict | str] = []  # by the browser, oldest first
        self.received: list[dict | str] = []  # by Python, in threads that may overtake each other
        self.errors: list[str] = []
        self.seconds = 0.0  # that Python takes over each
        self.answered = 0  # presses of the button that `settle` presses
        self.under_way: Counter = Counter()  # page -> requests that carry events
        with gr.Blocks() as self.demo:
            canvas = doodle_canvas()
            gr.Textbox(elem_id="text")
            canvas.stroke(self.receive, canvas, None, queue=False, trigger_mode="multiple")
            gr.Button("Count", elem_id="count").click(self.answer, None, None, queue=False)
        _, self.url, _ = app.launch(self.demo, prevent_thread_lock=True, quiet=True)

    def open(self, browser, script="", **options):
        page = browser.new_context(**options).new_page()
        page.add_init_script(script)
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        for event, change in [("request", 1), ("requestfinished", -1), ("requestfailed", -1)]:
            page.on(event, partial(self._count, page, change))
        page.goto(self.url)
        page.wait_for_selector(CANVAS_READY)
        return page

    def receive(self, value):
        self.received.append(value)
        time.sleep(self.seconds)

    def answer(self):
        self.answered += 1

    def _count(self, page, change, request):
        if request.method == "POST":
            self.under_way[page] += change
            if change > 0:
                self.sent += request.post_data_json["data"]

    def forget(self):
        self.sent.clear()
        self.received.clear()

    def wait(self, page, count: int) -> list:
        """What was sent, once Python has received `count` of them."""
        sent, got = self.sent, self.received
        wait_until(
            page,
            lambda: len(sent) >= count and len(got) >= count,
            lambda: f"{len(sent)} events sent, {len(got)} received, not {count}",
        )
        return list(sent)

    def settle(self, page) -> list:
        """What was sent, once nothing can be on its way any more.

        The browser sends events in their order: with an event of ours its earlier ones have left it, and
        those are on the server when their requests have ended.
        """
        before = self.answered
        page.evaluate("document.querySelector('#count').click()")
        wait_until(
            page,
            lambda: self.answered > before and not self.under_way[page],
            lambda: f"{self.under_way[page]} requests do not end",
        )
        return list(self.sent)


def wait_until(page, is_so, otherwise) -> None:
    for _ in range(PATIENCE // 20):
        if is_so():
            return
        page.wait_for_timeout(20)
    raise AssertionError(otherwise())


def look(value: dict, x: float, y: float) -> tuple:
    """What a value holds at a place: the drawing's colour, and whether it is to be kept."""
    picture, keep = read_canvas(value)
    place = (round(x * 511), round(y * 511))
    assert keep is None or set(keep.convert("RGB").tobytes()) <= {0, 255}, "nothing between black and white"
    return picture.getpixel(place)[:3], keep is not None and keep.getpixel(place)[:3] == (0, 0, 0)


def load(page, picture: str) -> None:
    """Put a picture on the canvas as an example does; `picture` is JavaScript that paints on `pen`."""
    page.evaluate(f"""() => {{
      const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
      {picture}
      window.dispatchEvent(new CustomEvent('doodle:load', {{detail: canvas.toDataURL()}}));
    }}""")


def dots(value: dict, places: list[tuple[float, float]]) -> int:
    """How many of the places are painted."""
    picture, _ = read_canvas(value)
    return sum(picture.getpixel((round(x * 512), round(y * 512)))[:3] != (255, 255, 255) for x, y in places)

"""The drawing canvas alone, in a real Chromium: what it sends, and when."""

from __future__ import annotations

import time

import pytest

gr = pytest.importorskip("gradio")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

import app  # noqa: E402
from test_browser import DRAWING, PATIENCE, at, draw_circle, ink  # noqa: E402


class Canvas:
    """A page with nothing but the canvas, and what its events brought to Python, oldest first."""

    def __init__(self):
        self.sent: list[dict | str] = []
        self.seconds = 0.0  # that Python takes over each
        with gr.Blocks() as self.demo:
            canvas = app.doodle_canvas()
            canvas.stroke(self.receive, canvas, None, queue=False, trigger_mode="multiple")
        _, self.url, _ = self.demo.launch(**app.LAUNCH, prevent_thread_lock=True, quiet=True)

    def receive(self, value):
        time.sleep(self.seconds)
        self.sent.append(value)

    def wait(self, page, count: int) -> list:
        """What was sent, once there are `count` of them."""
        for _ in range(PATIENCE // 50):
            if len(self.sent) >= count:
                return list(self.sent)
            page.wait_for_timeout(50)
        raise AssertionError(f"{len(self.sent)} events, not {count}")


@pytest.fixture(scope="module")
def canvas():
    canvas = Canvas()
    yield canvas
    canvas.demo.close()


@pytest.fixture(scope="module")
def alone(browser, canvas):
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page, errors = context.new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(canvas.url)
    page.wait_for_selector(".paper.blank")
    yield page
    context.close()
    assert not errors


@pytest.fixture
def page(alone, canvas):
    """The canvas blank again, and nothing on its way to Python."""
    yield alone
    alone.wait_for_timeout(200)
    if alone.is_enabled("[data-do=clear]"):
        before = len(canvas.sent)
        alone.click("[data-do=clear]")
        canvas.wait(alone, before + 1)
    alone.click("[data-tool=brush]")
    canvas.sent.clear()
    canvas.seconds = 0.0


def dot(page, x: float, y: float) -> None:
    page.mouse.click(*at(page, x, y))


def dots(value: dict, places: list[tuple[float, float]]) -> int:
    """How many of the places are painted."""
    picture, _ = app.read_canvas(value)
    return sum(picture.getpixel((round(x * 512), round(y * 512)))[:3] != (255, 255, 255) for x, y in places)


def test_each_stroke_sends_a_drawing_that_shows_it(page, canvas):
    places = [(0.1 + 0.2 * (i % 5), 0.1 + 0.2 * (i // 5)) for i in range(25)]
    left = []  # what left the browser, in the order of the events
    page.on("request", lambda r: left.append(r.post_data_json["data"][0]) if r.method == "POST" else None)
    canvas.seconds = 0.1  # a server that is busy with earlier strokes
    for place in places:
        dot(page, *place)
    canvas.wait(page, 25)
    shown = [dots(value, places) for value in left]
    assert len(shown) == 25
    assert all(count >= k for k, count in enumerate(shown, start=1)), shown
    assert shown[-1] == 25


def test_every_kind_of_change_is_sent_once(page, canvas):
    draw_circle(page)
    page.click("[data-do=undo]")
    page.click("[data-do=redo]")
    page.click("[data-tool=fill]")
    dot(page, 0.5, 0.5)
    page.click("[data-do=clear]")
    sent = canvas.wait(page, 5)
    page.wait_for_timeout(300)
    assert len(canvas.sent) == 5, "and not oftener"
    assert sent[1] == sent[4] == "", "blank"
    assert sent[0] == sent[2] != sent[3]
    assert all(value["keep"] == "" for value in (sent[0], sent[2], sent[3]))


def test_an_example_or_a_result_is_a_change(page, canvas):
    page.evaluate("""() => {
      const canvas = document.createElement('canvas');
      canvas.getContext('2d').fillRect(10, 10, 30, 30);
      window.dispatchEvent(new CustomEvent('doodle:load', {detail: canvas.toDataURL()}));
    }""")
    (value,) = canvas.wait(page, 1)
    assert app.read_canvas(value)[0].size == (512, 512)
    assert ink(page, DRAWING) > 0

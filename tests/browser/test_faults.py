"""What goes wrong between a click and the run ends the page's waiting: in a real Chromium."""

from __future__ import annotations

import pytest

from diffusion.page import app, handlers
from diffusion.page.messages import FAILED

from .actions import CANVAS_READY, PATIENCE, draw_circle, say, set_slider, wait_for


@pytest.fixture(scope="module")
def demo(checkpoint_folder):
    demo = app.build(checkpoint_folder)
    app.launch(demo, prevent_thread_lock=True, quiet=True)
    yield demo
    demo.close()


@pytest.fixture
def page(browser, demo):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(demo.local_url)
    page.wait_for_selector(CANVAS_READY)
    page.locator("#advanced button").first.click()
    page.wait_for_selector("#seed input")
    set_slider(page, "Steps", 5)
    draw_circle(page)
    yield page
    context.close()


def test_an_empty_seed_field_is_no_obstacle(page):
    page.locator("#seed input").fill("")
    page.locator("#seed input").press("Tab")
    page.click("#generate")
    wait_for(page, "done")
    assert "seed 7." in say(page)


def generate_in_vain(page, phase: str) -> None:
    """Press Generate and wait for the sentence; `phase` is what the page was in before."""
    page.evaluate("document.querySelector('.say').textContent = ''")
    page.click("#generate")
    page.wait_for_function(
        """([sentence, phase]) => document.querySelector('.say').textContent == sentence
          && document.body.dataset.doodle == phase""",
        arg=[FAILED, phase],
    )


def test_whatever_fails_ends_the_waiting_and_the_next_run_works(page, demo, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(handlers, "read_drawing", lambda *_: 1 / 0)
        generate_in_vain(page, "empty")
    with monkeypatch.context() as broken:  # outside all that our handlers guard
        broken.setattr(handlers, "generate", lambda *_: 1 / 0)
        generate_in_vain(page, "empty")
    with monkeypatch.context() as full:
        full.setattr(demo._queue, "max_size", 0)
        generate_in_vain(page, "empty")
    page.click("#generate")
    wait_for(page, "done")


def test_a_failure_leaves_the_earlier_result(page, monkeypatch):
    page.click("#generate")
    wait_for(page, "done")
    monkeypatch.setattr(handlers, "generate", lambda *_: 1 / 0)
    generate_in_vain(page, "done")
    assert page.is_enabled("[data-do=png]")

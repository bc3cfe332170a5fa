"""Steering in a real Chromium: Live, going on from a step, searching the strength, several seeds at once."""

from __future__ import annotations

import pytest

from .actions import (
    DRAWING,
    INK,
    choose_subject,
    count_frames,
    count_phases,
    dot,
    draw_circle,
    ink,
    paint,
    phases,
    say,
    set_slider,
    wait_for,
)

SAYS = "document.querySelector('.say').textContent"
PICTURE = "document.querySelector('#view canvas.clean').toDataURL()"


@pytest.fixture
def live(page):
    page.check("#live input")
    yield page
    page.uncheck("#live input")


def wait_until_quiet(page) -> None:
    """Nothing runs, nothing waits, and every frame has been shown."""
    page.wait_for_function(f"document.body.dataset.doodle == 'done' && {SAYS}.includes(' in ')")


# ---- live


def test_live_redraws_after_each_stroke_and_the_newest_drawing_wins(live, server):
    choose_subject(live, "Apple")
    live.click("#label-1 label:has-text('Photo')")
    live.locator("#seed input").fill("7")
    set_slider(live, "Strength", 0.05)  # so little that the drawing shows through
    set_slider(live, "Steps", 50)
    server.delay = 0.1
    for i in range(4):  # each while the run before is going on
        calls = server.calls
        dot(live, 0.2 + 0.2 * i, 0.3)
        while server.calls == calls:
            live.wait_for_timeout(10)
    assert ink(live) > 0
    live.wait_for_function("""() => {  // all four red dots are in the picture
      const ctx = document.querySelector('#view canvas.clean').getContext('2d');
      const pixels = ctx.getImageData(0, 154, 512, 1).data;
      const places = [0.2, 0.4, 0.6, 0.8].map((x) => Math.round(x * 512) * 4);
      return places.every((i) => pixels[i] - pixels[i + 2] > 20);
    }""")
    wait_until_quiet(live)


def test_live_gives_up_the_run_before_within_a_step(live, server):
    set_slider(live, "Strength", 1)
    set_slider(live, "Steps", 50)
    server.delay = 0.2  # ten seconds for a whole run
    dot(live, 0.3, 0.3)
    wait_for(live, "run")
    set_slider(live, "Steps", 5)  # takes part in the next run, and makes one by itself
    dot(live, 0.6, 0.6)
    server.delay = 0.02
    live.wait_for_function(f"{SAYS}.startsWith('5 steps')")
    assert count_frames(live) == 5


def test_live_follows_the_words_and_the_sliders(live):
    set_slider(live, "Strength", 0.5)
    set_slider(live, "Steps", 10)
    draw_circle(live)
    wait_until_quiet(live)
    before = live.evaluate(PICTURE)
    choose_subject(live, "Cat")
    live.wait_for_function(f"{PICTURE} != {before!r}")
    wait_until_quiet(live)
    set_slider(live, "Strength", 0.7)
    live.wait_for_function(f"{SAYS}.startsWith('4 steps')")  # as many as while somebody draws


def test_without_live_nothing_runs_by_itself(page, server):
    count_phases(page)
    calls = server.calls
    draw_circle(page)
    for name, other in [("Cat", "a cat"), ("Pear", "a pear")]:  # with the second, news of the first are here
        choose_subject(page, name)
        page.wait_for_function(f"document.querySelector('#more').textContent.includes('{other}')")
    assert phases(page) == [] and server.calls == calls


# ---- frames


def test_every_frame_is_shown(page, server):
    set_slider(page, "Strength", 1)
    set_slider(page, "Steps", 30)
    draw_circle(page)
    page.evaluate("""() => {
      window.shown = new Set();
      const draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
        if (this.canvas.matches('.clean')) window.shown.add(image.src);
        return draw.call(this, image, ...rest);
      };
    }""")
    paint(page, 21)
    assert count_frames(page) == 30
    assert page.evaluate("shown.size") >= 30, "the model is far quicker than the page here"


def test_the_film_strip_and_the_slider_go_back(page):
    set_slider(page, "Strength", 1)
    set_slider(page, "Steps", 30)
    draw_circle(page)
    paint(page, 22)
    strip = page.locator(".strip canvas")
    assert strip.count() == 10
    last = page.evaluate(PICTURE)
    strip.first.click()
    assert say(page) == "Step 1 of 30"
    page.wait_for_function(f"{PICTURE} != {last!r}")
    strip.last.click()
    page.wait_for_function(f"{PICTURE} == {last!r}")


def test_continue_from_a_step_with_another_subject(page):
    set_slider(page, "Strength", 1)
    set_slider(page, "Steps", 12)
    draw_circle(page)
    choose_subject(page, "Apple")
    paint(page, 23)
    first = page.evaluate(PICTURE)
    assert page.is_disabled("[data-do=resume]"), "nothing is left to do after the last step"
    choose_subject(page, "Cat")
    page.locator(".scrub").fill("5")
    page.click("[data-do=resume]")
    page.wait_for_function(f"{PICTURE} != {first!r} && {SAYS}.startsWith('12 steps')")
    assert count_frames(page) == 12
    with page.expect_download() as download:
        page.click("[data-do=png]")
    assert download.value.suggested_filename.startswith("cat-")


# ---- more of this, more of that


def test_two_buttons_search_the_strength(page):
    set_slider(page, "Strength", 0.6)
    set_slider(page, "Steps", 20)
    choose_subject(page, "Apple")
    draw_circle(page)
    number = page.get_by_label("number input for Strength")
    for button, strength, steps in (("#more", "0.8", 16), ("#less", "0.7", 14), ("#less", "0.65", 13)):
        page.click(button)
        page.wait_for_function(f"{SAYS}.startsWith('{steps} steps')")
        assert number.input_value() == strength
    assert page.inner_text("#more") == "More like an apple"
    choose_subject(page, "Cat")
    page.wait_for_function("document.querySelector('#more').textContent.includes('a cat')")


# ---- several at once


def test_four_seeds_at_once_and_one_of_them_is_chosen(page):
    set_slider(page, "Strength", 0.9)
    set_slider(page, "Steps", 10)
    draw_circle(page)
    page.click("#pictures label:nth-child(2)")
    page.locator("#seed input").fill("30")
    page.locator("#seed input").press("Tab")
    page.click("#generate")
    page.wait_for_function(f"{SAYS}.includes('seeds 30 to 33')")
    assert page.locator(".cells button").count() == 4
    assert page.is_enabled("[data-do=png]"), "all of them, as one picture"
    grid = page.evaluate(PICTURE)
    page.click(".cells button[data-k='2']")
    page.wait_for_function(f"{SAYS} == 'Seed 32.'")
    assert page.locator(".cells button").count() == 0
    with page.expect_download() as download:
        page.click("[data-do=png]")
    assert "-32." in download.value.suggested_filename
    page.click("[data-do=all]")
    page.wait_for_function(f"{PICTURE} == {grid!r}")
    page.click(".cells button[data-k='0']")
    page.wait_for_function(f"{SAYS} == 'Seed 30.'")
    before = ink(page)
    page.click("[data-do=reuse]")
    page.wait_for_function(f"Math.abs(({INK})('{DRAWING}') - {before}) > 0.01")
    page.click("#pictures label:first-child")

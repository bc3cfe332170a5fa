"""Nothing is lost: a reload, the way back, a restart of the server leave what a person was about to make."""

from __future__ import annotations

import pytest

from diffusion.page import app

from .actions import (
    CANVAS_READY,
    DRAWING,
    INK,
    PATIENCE,
    RESULT,
    choose_subject,
    dot,
    draw_circle,
    ink,
    paint,
    set_slider,
    wait_for,
)

BOX = "#label-0 input"


def wait_until(page, script: str, arg=None) -> None:
    page.wait_for_function(script, arg=arg)


def fill_in(page) -> None:
    """A pear by hand, marks, and a value other than the usual one in every kind of control."""
    page.locator("#advanced button").first.click()
    page.wait_for_selector("#seed input")
    choose_subject(page, "Ice cream")
    wait_until(page, "document.querySelector('#label-1 label.selected')?.innerText == 'Rounded'")
    draw_circle(page)
    page.click("[data-tool=keep]")
    dot(page, 0.2, 0.2)
    set_slider(page, "Strength", 0.35)
    set_slider(page, "Steps", 9)
    page.locator("#seed input").fill("123")
    page.locator("#seed input").press("Tab")
    page.click("#pictures label:has-text('4')")
    page.check("#live input")
    page.uncheck("#live input")


def is_as_filled_in(page, inked: float) -> None:
    page.wait_for_selector(".doodle [data-do=undo]")
    wait_until(page, f"inked => Math.abs(({INK})('{DRAWING}') - inked) < 1e-6", inked)
    wait_until(page, f"document.querySelector('{BOX}')?.value == 'Ice cream'")
    wait_until(page, "document.querySelector('#label-1 label.selected')?.innerText == 'Rounded'")
    wait_until(page, "document.querySelector('#strength input[type=number]')?.value == '0.35'")
    wait_until(page, "document.querySelector('#pictures label.selected').innerText == '4'")
    assert ink(page, "#canvas canvas.keep") > 0
    if not page.is_visible("#seed input"):
        page.locator("#advanced button").first.click()
    page.wait_for_selector("#seed input")
    assert page.input_value("#seed input") == "123"
    assert page.get_by_label("number input for Steps").input_value() == "9"


@pytest.fixture(scope="module")
def left(open_page):
    """A page that is filled in, and how much ink is on it."""
    page = open_page()
    fill_in(page)
    return page, ink(page)


def test_a_reload_leaves_everything_as_it_was(left):
    page, inked = left
    page.reload()
    is_as_filled_in(page, inked)
    page.reload()  # also where nothing was touched in between
    is_as_filled_in(page, inked)


def test_the_way_back_does_too(left):
    page, inked = left
    page.goto("about:blank")
    page.go_back()
    is_as_filled_in(page, inked)


def test_another_tab_begins_anew(left, open_page):
    page = left[0].context.new_page()
    page.goto(left[0].url)
    page.wait_for_selector(CANVAS_READY)
    page.wait_for_timeout(500)
    assert ink(page) == 0 and page.input_value(BOX) == "Apple"
    page.close()


def test_a_link_is_overruled_by_what_came_after(open_page, server):
    page = open_page()
    page.goto(server.url + "?subject=cat&strength=0.2")
    wait_until(page, f"document.querySelector('{BOX}')?.value == 'Cat'")
    set_slider(page, "Strength", 0.9)
    page.reload()
    wait_until(page, f"document.querySelector('{BOX}')?.value == 'Cat'")
    wait_until(page, "document.querySelector('#strength input[type=number]')?.value == '0.9'")


def test_pictures_are_there_again_with_their_settings(open_page):
    page = open_page()
    page.locator("#advanced button").first.click()
    page.wait_for_selector("#seed input")
    draw_circle(page)
    paint(page, 31)
    paint(page, 32)
    wait_until(page, "JSON.parse(sessionStorage.doodle).shown == 2")  # the browser has stored both
    page.reload()
    wait_for(page, "done")  # the last one is on show
    assert "seed 32." in page.inner_text(".say") and ink(page, RESULT) > 0.02
    page.click("[data-row=mine]")
    titles = page.locator(".mine button").evaluate_all("all => all.map((each) => each.title)")
    assert [title.split(", ")[-1] for title in titles] == ["32", "31"]
    page.locator("#advanced button").first.click()
    page.wait_for_selector("#seed input")
    for seed in (33, 34, 35):  # the server numbers runs anew
        paint(page, seed)
    page.click(".mine button[title$=' 31']")
    wait_until(page, "document.querySelector('.say').textContent.includes('seed 31.')")
    page.click("[data-do=gif]")  # its steps are gone with the old session: a sentence, not another picture
    page.get_by_text("made too long ago").first.wait_for()
    assert page.inner_text(".gallery .count") == "5"
    page.click("[data-do=forget]")
    page.reload()
    page.wait_for_selector(CANVAS_READY.replace(":disabled", ""))
    page.wait_for_timeout(500)
    assert page.inner_text(".gallery .count") == "" and page.locator(".mine button").count() == 0


def test_a_browser_that_keeps_nothing_works(open_page, browser, server):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script("""for (const name of ['sessionStorage', 'indexedDB'])
      Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });""")
    page.goto(server.url)
    page.wait_for_selector(CANVAS_READY)
    draw_circle(page)
    page.click("#generate")
    wait_for(page, "done")
    page.click("[data-row=mine]")
    assert page.locator(".mine button").count() == 1
    assert not [error for error in errors if "SecurityError" not in error]
    page.context.close()


def test_a_restart_of_the_server_leaves_everything_as_it_was(browser, checkpoint_folder):
    demo = app.build(checkpoint_folder)
    app.launch(demo, prevent_thread_lock=True, quiet=True)
    port = demo.server_port
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(demo.local_url)
    page.wait_for_selector(CANVAS_READY)
    fill_in(page)
    inked = ink(page)
    demo.close()
    demo = app.build(checkpoint_folder)
    app.launch(demo, prevent_thread_lock=True, quiet=True, server_port=port)
    page.reload()
    is_as_filled_in(page, inked)
    page.click("#generate")
    page.wait_for_selector(".cells button")
    page.context.close()
    demo.close()

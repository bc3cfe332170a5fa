"""The second tab in a real Chromium: it follows the first, and its slider moves everything."""

from __future__ import annotations

import re

import pytest

from .actions import CANVAS_READY, at, choose_subject, draw_circle, ink, set_slider

NOISING, STEP, DIALS = "#noising", "#step", "#dials"


@pytest.fixture(scope="module")
def page(open_page, server):
    server.delay = 0.0
    return open_page()


@pytest.fixture(autouse=True)
def start(page):
    """On the first tab, with a circle on the canvas."""
    open_tab(page, "Draw")
    if not ink(page):
        draw_circle(page)


def open_tab(page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def open_lesson(page) -> None:
    """The second tab, once it shows the first tab's state of this moment."""
    seen = sources(page, STEP)
    open_tab(page, "How it works")
    page.wait_for_function(f"({SOURCES})('{STEP}').length == 4")
    if not seen:
        page.wait_for_selector("#step-equation .katex")


SOURCES = "selector => [...document.querySelectorAll(selector + ' img')].map((image) => image.src)"


def sources(page, selector: str) -> list[str]:
    return page.evaluate(SOURCES, selector)


def equation(page, selector: str) -> str:
    return page.locator(f"{selector} annotation").text_content()


def wait_for_equation(page, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector + ' annotation')?.textContent.includes(text)",
        arg=[selector, text],
    )


def marked(page, name: str) -> int:
    return int(page.get_attribute(f"#schedule circle.{name}", "data-t"))


def wait_for_mark(page, name: str, t: int) -> None:
    page.wait_for_selector(f"#schedule circle.{name}[data-t='{t}']", state="attached")


def move_t(page, t: int) -> None:
    set_slider(page, "Timestep t", t)


def test_the_slider_changes_the_numbers_the_pictures_and_the_mark(page):
    open_lesson(page)
    move_t(page, 700)
    wait_for_equation(page, "#noising-equation", "x_{700}")
    wait_for_mark(page, "now", 700)
    before = sources(page, NOISING)
    assert len(before) == len(set(before)) == 3
    move_t(page, 200)
    wait_for_equation(page, "#noising-equation", "x_{200}")
    wait_for_mark(page, "now", 200)
    assert not set(before) & set(sources(page, NOISING))
    assert r"0.948\;x_0 + 0.320\;\epsilon" in equation(page, "#noising-equation")


def test_dragging_the_slider_ends_where_the_pointer_does(page):
    open_lesson(page)
    box = page.locator("#time input[type=range]").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    page.mouse.down()
    for share in range(20, 91, 2):
        page.mouse.move(box["x"] + share / 100 * box["width"], middle)
    page.mouse.up()
    t = page.locator("#time input[type=range]").input_value()
    assert 850 < int(t) < 950
    wait_for_equation(page, "#noising-equation", f"x_{{{t}}}")
    page.wait_for_function(f"document.querySelector('{STEP} figcaption').innerText.startsWith('x{t}')")


def test_the_marked_start_follows_the_strength(page):
    for strength, t0 in [(0.3, 299), (0.75, 749)]:
        set_slider(page, "Strength", strength)
        open_lesson(page)
        wait_for_mark(page, "start", t0)
        assert f"strength {strength}" in page.inner_text("#schedule .legend")
        open_tab(page, "Draw")


def test_one_step_shows_four_pictures_and_where_it_lands(page):
    set_slider(page, "Strength", 0.6)
    open_lesson(page)
    move_t(page, 599)
    page.wait_for_function(f"document.querySelector('{STEP} figcaption').innerText.startsWith('x599')")
    four = sources(page, STEP)
    assert len(set(four)) == 4
    wait_for_equation(page, "#step-equation", "x_{513}")  # 7 of 12 steps lead down from 599
    assert sources(page, NOISING)[2] == four[0], "it starts from the picture of part 1"
    assert all(page.locator(f"{STEP} img").evaluate_all("images => images.map((image) => image.alt)"))


def test_the_button_paints_six_pictures(page):
    set_slider(page, "Strength", 0.31)
    open_lesson(page)
    wait_for_mark(page, "start", 309)
    page.wait_for_function(f"document.querySelectorAll('{DIALS} .empty').length == 6")
    page.click("#compare")
    page.wait_for_function(f"document.querySelector('{DIALS}').innerText.includes('Step 4 of 4')")
    six = sources(page, DIALS)
    assert len(six) == 6
    assert len(set(six)) == 5, "guidance 2 with eta 0 stands in both rows"
    open_tab(page, "Draw")
    open_lesson(page)
    assert sources(page, DIALS) == six, "kept while nothing has changed"


def test_the_button_counts_bits(page):
    set_slider(page, "Strength", 0.6)
    open_lesson(page)
    wait_for_mark(page, "start", 599)  # the tab has heard of it
    page.wait_for_function("document.querySelectorAll('#bits .empty').length == 4")
    page.click("#count-bits")
    page.wait_for_selector("#bits polyline", state="attached")
    assert page.get_attribute("#bits circle.start", "data-t") == "599"
    assert len(set(sources(page, "#bits"))) == 4
    equations = page.locator("#lesson .part:has(#bits) annotation").all_text_contents()
    assert any("q(x_T|x_0)" in text for text in equations), "the bound"


def test_the_lesson_is_about_what_is_on_the_canvas(page):
    open_lesson(page)
    drawn = sources(page, NOISING)
    assert "blank" not in page.inner_text(NOISING)
    open_tab(page, "Draw")
    page.click("[data-do=clear]")
    choose_subject(page, "Cat")
    open_lesson(page)
    page.wait_for_function(f"document.querySelector('{NOISING}').innerText.includes('blank')")
    assert sources(page, NOISING) != drawn
    open_tab(page, "Draw")
    page.click("[data-do=undo]")


def test_the_drawing_survives_the_other_tab(page):
    before = ink(page)
    assert before > 0
    open_lesson(page)
    assert not page.is_visible("#canvas") and page.is_visible("#lesson")
    open_tab(page, "Draw")
    assert ink(page) == before and page.is_visible("#canvas")
    page.mouse.click(*at(page, 0.5, 0.5))
    assert ink(page) > before, "and can be drawn on"


def test_the_credits_and_the_papers_are_there(page):
    open_lesson(page)
    assert "Pictures of fruit, CC0" in page.inner_text("#credits")
    links = page.locator("#lesson a").evaluate_all("links => links.map((link) => link.href)")
    assert {"2006.11239", "2102.09672", "2108.01073", "2010.02502", "2207.12598"} <= {
        re.sub(r".*/", "", link) for link in links
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_has_the_lesson_within_its_width_and_the_slider_in_sight(open_page, server, theme):
    size = {"width": 390, "height": 844}
    phone = open_page(viewport=size, device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.goto(f"{server.url}?__theme={theme}")
    phone.wait_for_selector(CANVAS_READY)
    phone.get_by_role("tab", name="How it works").tap()
    phone.wait_for_selector("#step-equation .katex")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.evaluate("document.querySelector('#step').scrollIntoView()")
    assert phone.evaluate("document.querySelector('#time').getBoundingClientRect().top") >= 0
    colours = phone.evaluate("""() => ['.plot polyline.other', '#lesson'].map((selector) => {
      const style = getComputedStyle(document.querySelector(selector));
      return selector === '#lesson' ? getComputedStyle(document.body).backgroundColor : style.stroke;
    })""")
    assert colours[0] != colours[1], "the curve can be seen on its ground"

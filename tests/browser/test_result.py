"""The result in a real Chromium: beside its drawing, close up, closely, and several of them in one file."""

from __future__ import annotations

from itertools import count

import pytest
from PIL import Image

from .actions import DRAWING, RESULT, at, draw_circle, ink, paint, wait_for

SEEDS = count(600)  # tell one result from the next
HANDLE, LARGE = ".compare i", "dialog.large"
SHARE = "Number(document.querySelector('.compare').ariaValueNow)"
SEEN = """selector => {
  const style = getComputedStyle(document.querySelector(selector));
  return [style.clipPath, Number(style.opacity)];
}"""


@pytest.fixture
def painted(page):
    draw_circle(page)
    paint(page, next(SEEDS))
    yield page
    page.keyboard.press("Escape")


def middle(page, selector: str) -> tuple[float, float]:
    part = page.locator(selector)
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def ink_left_and_right(page, selector: str) -> tuple[float, float]:
    """How much each half of a canvas is painted."""
    half = """([selector, right]) => {
      const canvas = document.querySelector(selector), side = canvas.width;
      const {data} = canvas.getContext('2d').getImageData(right ? side / 2 : 0, 0, side / 2, side);
      return data.filter((value, i) => i % 4 == 1 && value < 230).length / side / side * 2;
    }"""
    return page.evaluate(half, [selector, False]), page.evaluate(half, [selector, True])


DARK = """() => {
  const canvas = document.querySelector('#view canvas.clean');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let dark = 0;
  for (let i = 0; i < pixels.length; i += 4) dark += Math.max(pixels[i], pixels[i + 1], pixels[i + 2]) < 70;
  return dark;
}"""


def test_an_outline_s_lines_stay_until_they_are_switched_off(page):
    page.click("[data-paint='#22252b']")
    draw_circle(page)
    paint(page, next(SEEDS))
    with_lines = page.evaluate(DARK)
    page.click("#lines label")
    page.wait_for_function(f"({DARK})() < {with_lines} / 2")
    page.click("#lines label")
    page.wait_for_function(f"({DARK})() == {with_lines}")
    assert with_lines > 500 and page.get_attribute("body", "data-doodle") == "done"
    page.click("[data-paint='#e23b3b']")


def test_a_handle_uncovers_the_drawing_under_the_picture(painted):
    page = painted
    assert page.evaluate(SHARE) == 0
    assert ink(page, "#view canvas.before") == pytest.approx(ink(page), abs=0.02), "the drawing lies there"
    x, y = middle(page, HANDLE)
    box = page.locator(RESULT).bounding_box()
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], y, steps=4)
    page.mouse.up()
    assert page.evaluate(SHARE) == pytest.approx(30, abs=2)
    assert page.evaluate(SEEN, RESULT)[0].endswith(f"{page.evaluate(SHARE)}%)")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(SHARE) == pytest.approx(35, abs=2)
    page.keyboard.press("End")
    assert page.evaluate(SHARE) == 100
    page.keyboard.press("Home")
    assert page.evaluate(SHARE) == 0 and page.evaluate(SEEN, RESULT)[1] == 1


def test_a_click_on_it_goes_on_to_one_through_the_other_and_back(painted):
    page = painted
    page.click(HANDLE)
    assert page.evaluate(SHARE) == 50 and page.evaluate(SEEN, RESULT)[1] == 1
    name = page.get_attribute(".compare", "aria-label")
    page.click(HANDLE)
    assert page.evaluate(SEEN, RESULT) == ["none", 0.5]
    assert page.get_attribute(".compare", "aria-label") != name
    page.keyboard.press("Enter")
    assert page.evaluate(SHARE) == 0 and page.evaluate(SEEN, RESULT)[1] == 1
    assert page.get_attribute("body", "data-doodle") == "done", "Enter was for the handle, not for Generate"


def test_without_a_drawing_there_is_nothing_to_compare(page):
    paint(page, next(SEEDS))
    assert page.is_hidden(HANDLE)


def test_a_finger_moves_the_handle(open_page):
    phone = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    draw_circle(phone)
    phone.tap("#generate")
    wait_for(phone, "done")
    assert phone.is_hidden(HANDLE), "the small picture is only to be opened"
    phone.tap(".flip")
    x, y = middle(phone, HANDLE)
    touch = phone.context.new_cdp_session(phone)
    for kind, to in [("touchStart", x), ("touchMove", x + 60), ("touchMove", x + 120), ("touchEnd", None)]:
        points = [] if to is None else [{"x": to, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    phone.wait_for_function(f"{SHARE} > 20 && {SHARE} < 60")


def test_the_picture_is_looked_at_closely(painted):
    page = painted
    page.mouse.click(*middle(page, RESULT))
    page.wait_for_selector(LARGE)
    side = page.locator(f"{LARGE} canvas").bounding_box()["width"]
    assert side > page.locator(RESULT).bounding_box()["width"] * 1.3
    assert ink(page, f"{LARGE} canvas") == pytest.approx(ink(page, RESULT), abs=0.001)
    page.mouse.click(*middle(page, f"{LARGE} .view"))
    assert page.locator(f"{LARGE} canvas").bounding_box()["width"] == pytest.approx(2.5 * side, rel=0.01)
    before = page.locator(f"{LARGE} canvas").bounding_box()["x"]
    x, y = middle(page, f"{LARGE} .view")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 80, y, steps=4)
    page.mouse.up()
    after = page.locator(f"{LARGE} canvas").bounding_box()
    assert after["x"] == pytest.approx(before - 80, abs=3), "a drag moves it"
    assert after["width"] > 2 * side, "and is no click"
    page.keyboard.press("-")
    page.keyboard.press("Escape")
    assert page.is_hidden(LARGE)
    page.click("h1")
    page.keyboard.press("z")
    assert page.is_visible(LARGE)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    page.wait_for_function(
        f"document.querySelector('{LARGE} canvas').getBoundingClientRect().width > {side} + 9"
    )
    page.click("[data-close]")
    assert page.is_hidden(LARGE)


def test_a_small_drawing_is_seen_close_up_or_in_its_place(page):
    page.click("[data-tool=brush]")
    page.mouse.click(*at(page, 0.2, 0.2))
    paint(page, next(SEEDS))
    page.wait_for_timeout(200)
    assert page.get_attribute("[data-do=fill]", "aria-pressed") == "true"
    close = ink_left_and_right(page, RESULT)
    assert min(close) > 0.05
    assert ink(page, "#view canvas.before") > 5 * ink(page, DRAWING), "the drawing is seen as the picture is"
    page.click("[data-do=fill]")
    page.wait_for_timeout(200)
    left, right = ink_left_and_right(page, RESULT)
    assert right == 0 < left < close[0] / 2
    assert ink(page, "#view canvas.before") == pytest.approx(ink(page, DRAWING), abs=0.002)
    page.click("[data-do=fill]")  # for the next ones, who may not want it
    page.click("[data-do=clear]")
    draw_circle(page)
    paint(page, next(SEEDS))
    assert page.get_attribute("[data-do=fill]", "aria-pressed") == "true", "as they last said"


def test_several_pictures_are_saved_as_one(page, tmp_path):
    page.click("#pictures label:nth-child(2)")
    draw_circle(page)
    page.click("#generate")
    page.wait_for_selector(".cells button")
    with page.expect_download() as download:
        page.click("[data-do=png]")
    assert download.value.suggested_filename.endswith("-sheet.png")
    download.value.save_as(tmp_path / "sheet.png")
    sheet = Image.open(tmp_path / "sheet.png").convert("L")
    assert sheet.size == (1024, 1024)
    quarters = [sheet.crop((x, y, x + 512, y + 512)) for x in (0, 512) for y in (0, 512)]
    assert all(min(quarter.tobytes()) < 230 for quarter in quarters), "one in each"
    assert page.is_disabled("[data-do=gif]")
    page.click("#pictures label:nth-child(1)")


def test_nothing_covers_the_picture(painted):
    page = painted
    box = page.locator(RESULT).bounding_box()
    for selector in (".noise-switch", "[data-do=fill]", ".say"):
        part = page.locator(selector)
        assert not part.is_visible() or part.bounding_box()["y"] > box["y"] + box["height"], selector

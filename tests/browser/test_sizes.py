"""The page on a phone, where drawing and picture are seen together, and in windows of all widths."""

from __future__ import annotations

import pytest

from .actions import DRAWING, RESULT, at, ink, wait_for

PHONE = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True,
}  # fmt: skip
WITHIN = """([selector, left, top, right, bottom]) => [...document.querySelectorAll(selector)]
  .filter((part) => part.offsetParent !== null)
  .map((part) => [part.title || part.id || part.className, part.getBoundingClientRect()])
  .filter(([, box]) => box.left < left || box.top < top || box.right > right || box.bottom > bottom)
  .map(([name]) => name)"""


@pytest.fixture
def phone(open_page):
    page = open_page(**PHONE)
    page.touchscreen.tap(*at(page, 0.5, 0.5))
    return page


def outside(page, selector: str, *frame: float) -> list[str]:
    """What a selector finds that does not lie within left, top, right and bottom."""
    return page.evaluate(WITHIN, [selector, *frame])


def test_on_a_phone_drawing_tools_and_picture_are_seen_together(phone):
    phone.tap("#generate")
    wait_for(phone, "done")
    assert phone.evaluate("scrollY") == 0
    bar = phone.locator("#generate").bounding_box()["y"]
    assert outside(phone, f"{DRAWING}, .tools button:not([hidden])", 0, 0, 390, bar - 1) == []
    picture = phone.locator(RESULT).bounding_box()
    assert picture["y"] > bar - 40 and picture["y"] + picture["height"] <= 844
    assert picture["x"] + picture["width"] < phone.locator("#generate").bounding_box()["x"]
    assert outside(phone, "#buttons button, .say", 0, 0, 390, 844) == []
    assert phone.inner_text(".say").endswith("seed 7.")


def test_the_bar_stays_while_one_scrolls_and_leaves_the_other_tab_alone(phone):
    before = phone.locator("#generate").bounding_box()
    phone.mouse.wheel(0, 600)
    phone.wait_for_function("scrollY > 300")
    assert phone.locator("#generate").bounding_box() == before
    last = phone.locator("#advanced").bounding_box()
    phone.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = phone.locator("#advanced").bounding_box()
    assert last["y"] + last["height"] < before["y"], "nothing lies below it at the end"
    phone.get_by_role("tab", name="How it works").tap()
    phone.wait_for_selector("#generate", state="hidden")
    assert not phone.is_visible(".flip") and not phone.is_visible(RESULT)


def test_a_touch_opens_the_picture_with_all_that_can_be_done_with_it(phone):
    phone.tap("#generate")
    wait_for(phone, "done")
    assert not phone.is_visible("[data-do=png]") and not phone.is_visible(".strip")
    phone.tap(".flip")
    assert phone.get_attribute(".flip", "aria-expanded") == "true"
    assert phone.locator(RESULT).bounding_box()["width"] > 300
    bar = phone.locator("#generate").bounding_box()["y"]
    assert outside(phone, ".saves button, .film, .noise-switch", 0, 0, 390, bar) == []
    phone.tap(".flip")
    assert phone.locator(RESULT).bounding_box()["width"] < 130
    assert phone.get_attribute(".flip", "aria-expanded") == "false"
    phone.tap(".flip")
    phone.touchscreen.tap(200, 20)  # beside it
    assert phone.locator(RESULT).bounding_box()["width"] < 130
    phone.tap(".flip")
    inked = ink(phone)
    phone.tap("[data-do=reuse]")
    phone.wait_for_selector("[data-do=png]", state="hidden")
    phone.wait_for_function("before => !document.querySelector('[data-do=undo]').disabled", arg=inked)


def test_several_pictures_open_by_themselves_to_be_chosen_from(phone):
    phone.click("#pictures label:has-text('4')")
    phone.tap("#generate")
    phone.wait_for_selector(".cells button")
    assert phone.locator(RESULT).bounding_box()["width"] > 300
    phone.locator(".cells button").nth(2).tap()
    phone.wait_for_function("document.querySelector('.say').textContent == 'Seed 9.'")


@pytest.mark.parametrize(
    "size", [(1001, 800), (1040, 800), (1110, 900), (1240, 900), (1440, 700), (844, 390), (720, 450)]
)
def test_nothing_is_cut_off(open_page, size):
    width, height = size
    page = open_page(viewport={"width": width, "height": height})
    page.click("#generate")
    wait_for(page, "done")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert outside(page, "button:not(.examples *), input, canvas, label", 0, -9999, width, 9999) == []
    for card in ("#drawing", "#painting", "#controls"):
        box = page.locator(card).bounding_box()
        if width > 1000 or card != "#painting":
            right = box["x"] + box["width"]
            inside = f"{card} :is(button, canvas):not(.examples *, #buttons *, #view *)"
            assert outside(page, inside, box["x"], -9999, right, 9999) == []
    if width > 1000:
        box = page.locator("#painting").bounding_box()
        inside = "#painting :is(button, canvas)"
        assert (
            outside(page, inside, box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) == []
        )
        drawn, painted = (page.locator(name).bounding_box()["width"] for name in (DRAWING, RESULT))
        assert abs(drawn - painted) <= 2
    else:
        assert page.locator(DRAWING).bounding_box()["height"] < height - 140
    clipped = """() => [...document.querySelectorAll('#workspace button')]
      .filter((button) => button.offsetParent && button.scrollWidth > button.clientWidth + 1)
      .map((button) => button.innerText)"""
    assert page.evaluate(clipped) == []

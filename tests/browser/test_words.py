"""Saying what it is, with real keys and fingers: the box with all names, and the style that follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.page import app
from diffusion.page.choices import PICTURED

from .actions import CANVAS_READY, DRAWING, PATIENCE, at, draw_circle, ink, wait_for

STYLES = ["photo", "noto", "fluent-3d"]
KNOWN = {
    "apple": ("fruit", ["pippin"]), "pear": ("fruit", []), "big cat": ("animal", ["lion"]),
    "cat": ("animal", ["kitty"]), "elephant": ("animal", []), "coffee": ("drink", ["mug"]),
    **{f"face {number}": ("face", []) for number in range(60)},
}  # fmt: skip
PAIRS = [(name, style) for name in KNOWN for style in STYLES if style != "photo" or name in ("apple", "pear")]
BOX, OPTIONS = "#label-0 input", "#label-0 [role=option]"
CHOSEN = "#label-1 label.selected"
SIZES = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "narrow": {"viewport": {"width": 1040, "height": 900}},
    "low": {"viewport": {"width": 1440, "height": 620}},
    "phone": {
        "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2,
        "has_touch": True, "is_mobile": True,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("words")
    names = {name: {"category": category, "aliases": aliases} for name, (category, aliases) in KNOWN.items()}
    checkpoint = tiny_checkpoint({"subject": list(KNOWN), "style": STYLES}, PAIRS)
    save_checkpoint(folder / "many.safetensors", replace(checkpoint, names=names))
    demo = app.build(folder)
    _, url, _ = app.launch(demo, prevent_thread_lock=True, quiet=True)
    yield url
    demo.close()


@pytest.fixture
def open_words(browser, url):
    """Opens the page, which shows an apple."""
    contexts = []

    def open_words(size: str = "desktop"):
        context = browser.new_context(**SIZES[size])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.wait_for_selector(CANVAS_READY)
        page.wait_for_function(f"document.querySelector('{BOX}').value == 'Apple'")
        return page

    yield open_words
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_words):
    return open_words()


def say_it(page, *keys: str) -> None:
    """Click the box and type; a key of several letters is pressed."""
    page.click(BOX)
    for key in keys:
        if key in ("Enter", "Escape", "Tab", "ArrowDown", "ArrowUp", "Backspace"):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)


def offered(page) -> list[str]:
    return page.locator(OPTIONS).all_inner_texts()


def is_open(page) -> bool:
    return page.get_attribute(BOX, "aria-expanded") == "true" and page.is_visible("#label-0 [role=listbox]")


def style_is(page, name: str) -> None:
    page.wait_for_function(f"document.querySelector('{CHOSEN}')?.innerText == '{name}'")


# ---- typing


def test_typing_replaces_what_stood_there_and_finds_the_exact_name(page):
    say_it(page, "cat")
    assert page.input_value(BOX) == "cat"
    assert offered(page) == ["Cat", "Big cat"]
    page.keyboard.press("Enter")
    assert page.input_value(BOX) == "Cat" and not is_open(page)
    page.wait_for_function("document.querySelector('#more').innerText == 'More like a cat'")
    say_it(page, "pear", "Enter")
    page.wait_for_function("document.querySelector('#more').innerText == 'More like a pear'")
    page.keyboard.type("face 12")  # the focus stayed, with all selected
    page.keyboard.press("Enter")
    assert page.input_value(BOX) == "Face 12"


def test_an_alias_finds_the_name_and_is_named_with_it(page):
    say_it(page, "MUG")
    assert offered(page) == ["Coffee · mug"]
    page.keyboard.press("Enter")
    assert page.input_value(BOX) == "Coffee"
    page.wait_for_function("document.querySelector('#more').innerText == 'More like a coffee'")


def test_a_slip_finds_the_nearest_and_says_so(page):
    say_it(page, "elefnat")
    assert page.inner_text("#label-0 [role=status]") == "Nothing called “elefnat”; nearest:"
    assert offered(page)[0] == "Elephant"
    page.keyboard.press("Enter")
    assert page.input_value(BOX) == "Elephant"


def test_what_fits_nothing_changes_nothing(page):
    say_it(page, "qqqqqqqq")
    assert page.inner_text("#label-0 [role=status]") == "Nothing called “qqqqqqqq”."
    assert offered(page) == []
    page.keyboard.press("Enter")
    assert page.input_value(BOX) == "Apple" and not is_open(page)


def test_escape_brings_back_what_was_chosen(page):
    say_it(page, "cat", "Escape")
    assert page.input_value(BOX) == "Apple" and not is_open(page)
    say_it(page, "cat", "Enter")
    assert page.input_value(BOX) == "Cat", "and what is typed next replaces it again"


def test_arrow_keys_choose_and_begin_again_at_the_end(page):
    say_it(page)
    marked = (
        "document.getElementById(document.querySelector('#subject').getAttribute('aria-activedescendant'))"
    )
    assert page.evaluate(f"{marked}.innerText") == "Apple"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(f"{marked}.innerText") == "Pear"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(f"{marked}.innerText") == "Big cat", "animals come first"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.input_value(BOX) == "Pear"
    page.keyboard.press("ArrowDown")
    assert is_open(page) and page.evaluate(f"{marked}.getAttribute('aria-selected')") == "true"
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    in_view = f"""() => {{
      const row = {marked}.getBoundingClientRect();
      const view = document.querySelector('.words .popup').getBoundingClientRect();
      return row.top >= view.top && row.bottom <= view.bottom;
    }}"""
    assert page.evaluate(in_view)


def test_leaving_the_box_takes_a_whole_name_only(page):
    say_it(page, "kitty", "Tab")
    assert page.input_value(BOX) == "Cat"
    say_it(page, "ca", "Tab")
    assert page.input_value(BOX) == "Cat" and not is_open(page)
    say_it(page, "pear")
    draw_circle(page)
    assert page.input_value(BOX) == "Pear" and not is_open(page) and ink(page) > 0
    page.keyboard.press("Control+z")
    assert ink(page) == 0, "the keys are the canvas's again"


def test_enter_generates_once_a_name_is_chosen(page):
    say_it(page, "cat", "Enter")
    assert page.get_attribute("body", "data-doodle") == "empty"
    page.keyboard.press("Enter")
    wait_for(page, "done")


# ---- the list


def test_the_empty_box_lists_everything_by_category(page):
    say_it(page, "cat", "Backspace", "Backspace", "Backspace")
    assert len(offered(page)) == len(KNOWN)
    titles = page.locator("#label-0 [role=group]")
    assert [titles.nth(i).get_attribute("aria-label") for i in range(4)] == [
        "Animal",
        "Drink",
        "Face",
        "Fruit",
    ]
    assert page.locator("#label-0 [role=group]").first.locator("[role=option]").all_inner_texts() == [
        "Big cat",
        "Cat",
        "Elephant",
    ]


@pytest.mark.parametrize("size", SIZES)
def test_the_list_leaves_the_tools_and_most_of_the_window_alone(open_words, size):
    page = open_words(size)
    (page.tap if size == "phone" else page.click)(BOX)
    popup = page.locator(".words .popup").bounding_box()
    height = SIZES[size]["viewport"]["height"]
    assert popup["height"] <= 0.4 * height + 1
    assert popup["y"] >= 0 and popup["y"] + popup["height"] <= height
    assert popup["x"] >= 0 and popup["x"] + popup["width"] <= SIZES[size]["viewport"]["width"]
    covered = """() => {
      const list = document.querySelector('.words .popup').getBoundingClientRect();
      return [...document.querySelectorAll('.doodle .tools button')].filter((button) => {
        const box = button.getBoundingClientRect();
        return box.width && box.left < list.right && box.right > list.left && box.top < list.bottom
          && box.bottom > list.top;
      }).map((button) => button.title);
    }"""
    assert page.evaluate(covered) == []
    columns = {page.locator(OPTIONS).nth(i).bounding_box()["x"] for i in range(6, 50)}
    assert len(columns) == (2 if size == "phone" else 3)


def test_names_have_their_picture_beside_them_where_there_is_one(page):
    page.click(BOX)
    shown = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('#label-0 [role=option]')]
      .map((each) => [each.textContent, each.querySelector('i')])
      .map(([name, i]) => [name, [getComputedStyle(i).display, getComputedStyle(i).backgroundImage,
                                  getComputedStyle(i).backgroundPosition]]))""")
    for name in ("apple", "pear"):
        display, image, position = shown[name.capitalize()]
        row, column = divmod(PICTURED[name], 32)
        assert display != "none" and image.endswith('names.webp")')
        assert position == f"{-24 * column or 0}px {-24 * row or 0}px"
    assert shown["Face 7"][0] == "none"


def test_a_finger_opens_scrolls_and_takes(open_words):
    page = open_words("phone")
    page.tap(BOX)
    assert is_open(page)
    page.locator(OPTIONS).get_by_text("Face 31", exact=True).tap()
    assert page.input_value(BOX) == "Face 31" and not is_open(page)
    assert page.evaluate("document.activeElement.id") != "subject", "the screen keyboard goes away"
    page.tap(BOX)
    page.keyboard.type("mug")
    page.locator(OPTIONS).first.tap()
    assert page.input_value(BOX) == "Coffee"


def test_a_click_takes_and_a_click_elsewhere_does_not(page):
    say_it(page, "cat")
    page.click(f"{OPTIONS} >> nth=1")
    assert page.input_value(BOX) == "Big cat" and not is_open(page)
    say_it(page, "pea")
    page.mouse.click(*at(page, 0.5, 0.5))
    assert page.input_value(BOX) == "Big cat" and not is_open(page)
    assert ink(page, DRAWING) > 0


# ---- the style


def test_the_style_that_was_wished_for_comes_back(page):
    style_is(page, "Photo")
    for wish in ("3D", "Photo"):  # what nobody chose is not missed
        page.click(f"#label-1 label:has-text('{wish}')")
        style_is(page, wish)
    say_it(page, "cat", "Enter")
    style_is(page, "Rounded")
    assert page.inner_text("#label-1").startswith(
        "How should it look?\nNever seen as Photo: Rounded for now."
    )
    say_it(page, "elephant", "Enter")
    style_is(page, "Rounded")
    say_it(page, "pear", "Enter")
    style_is(page, "Photo")
    assert "Never seen" not in page.inner_text("#label-1")


def test_a_style_chosen_by_hand_is_the_new_wish(page):
    say_it(page, "cat", "Enter")
    style_is(page, "Rounded")
    page.click("#label-1 label:has-text('3D')")
    page.wait_for_function("!document.querySelector('#label-1').innerText.includes('Never seen')")
    say_it(page, "apple", "Enter")
    page.wait_for_function("document.querySelectorAll('#label-1 label').length == 3")
    style_is(page, "3D")
    page.hover(CHOSEN)
    assert page.get_attribute(CHOSEN, "title") == "fluent-3d (3)", "what the model calls it, and its key"

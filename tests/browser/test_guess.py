"""What the drawing may be is proposed while a person draws, and used until they say it themselves."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.page import app, choices

from .actions import CANVAS_READY, PATIENCE, at, draw_line, pick, set_slider, wait_for

JUDGE = app.CHECKPOINTS / "judge" / "judge-64.safetensors"
SUBJECTS = ["apple", "banana", "house", "star", "tomato", "umbrella"]
BOX, GUESSES = "#label-0 input", ".guesses button"
STAR = [
    (0.5 + r * math.sin(a), 0.5 - r * math.cos(a))
    for a, r in ((k * math.pi / 5, 0.36 if k % 2 == 0 else 0.15) for k in range(11))
]
ASKED = "**/component_server/"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guesses")
    pairs = [(subject, style) for subject in SUBJECTS for style in ("photo", "noto")]
    labels = {"subject": SUBJECTS, "style": ["photo", "noto"]}
    save_checkpoint(folder / "a.safetensors", tiny_checkpoint(labels, pairs, drawing=True))
    save_checkpoint(folder / "b.safetensors", tiny_checkpoint({"class": ["apple", "house"]}, []))
    (folder / "judge").mkdir()
    shutil.copy(JUDGE, folder / "judge")
    with pytest.MonkeyPatch.context() as patch:  # the usual examples, whatever the server of other tests has
        patch.setattr(choices, "DRAWINGS", app.CHECKPOINTS.parent / "assets" / "drawings")
        demo = app.build(folder)
        _, url, _ = app.launch(demo, prevent_thread_lock=True, quiet=True)
        yield url  # the drawings are sent when they are asked for
        demo.close()


@pytest.fixture
def open_at(browser, url):
    """Opens the page, or a link to it, with a thin black pen."""
    contexts, errors = [], []

    def open_at(query: str = "", **options):
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url + query)
        page.wait_for_selector(CANVAS_READY)
        page.click("[data-paint='#22252b']")
        page.click("[data-width='12']")
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def page(open_at):
    return open_at()


def draw_star(page) -> None:
    draw_line(page, *STAR)


def draw_apple(page) -> None:
    """A red disc."""
    page.click("[data-paint='#e23b3b']")
    page.click("[data-width='48']")
    draw_line(page, *((0.5 + r * math.cos(a), 0.5 + r * math.sin(a)) for r, a in
              ((0.28 * k / 60, k * 0.6) for k in range(61))))  # fmt: skip


def box_says(page, name: str) -> None:
    page.wait_for_function(f"document.querySelector('{BOX}').value == '{name}'")


def guessed(page, *names: str) -> None:
    """Wait until the first guess is one of these."""
    page.wait_for_function(
        f"names => names.includes(document.querySelector('{GUESSES}')?.innerText)", arg=list(names)
    )


def test_a_guess_is_named_and_used_until_the_next(page):
    draw_star(page)
    guessed(page, "Star")
    box_says(page, "Star")
    page.wait_for_function("document.querySelector('#more').innerText == 'More like a star'")
    assert page.get_attribute(f"{GUESSES} >> nth=0", "aria-pressed") == "true"
    shown = page.locator(GUESSES).all_inner_texts()
    assert 1 < len(shown) <= 5 and {name.lower() for name in shown} < set(SUBJECTS)
    page.click("[data-do=clear]")
    page.wait_for_selector(".guesses", state="hidden")
    draw_apple(page)
    guessed(page, "Apple", "Tomato")
    box_says(page, page.inner_text(f"{GUESSES} >> nth=0"))
    page.click("#generate")
    wait_for(page, "done")
    page.click("[data-row=mine]")
    assert page.get_attribute(".mine button", "title").split(",")[0] in ("apple", "tomato")


def test_one_click_takes_another_guess_and_strokes_leave_it(page):
    draw_star(page)
    guessed(page, "Star")
    second = page.locator(GUESSES).nth(1)
    name = second.inner_text()
    second.click()
    box_says(page, name)
    assert second.get_attribute("aria-pressed") == "true"
    page.click("[data-do=clear]")
    draw_apple(page)
    guessed(page, "Apple", "Tomato")
    assert page.input_value(BOX) == name


def test_what_was_typed_stays_and_guesses_are_shown_all_the_same(page):
    page.click(BOX)
    page.keyboard.type("apple")  # what stood there anyway
    page.keyboard.press("Enter")
    draw_star(page)
    guessed(page, "Star")
    assert page.input_value(BOX) == "Apple"
    page.click(GUESSES)
    box_says(page, "Star")


def test_looking_into_the_box_says_nothing(page):
    page.click(BOX)
    page.keyboard.press("Tab")
    draw_star(page)
    box_says(page, "Star")


def test_a_reload_leaves_a_guess_a_guess_and_a_word_a_word(page):
    draw_star(page)
    box_says(page, "Star")
    page.reload()
    guessed(page, "Star")
    box_says(page, "Star")
    page.click("[data-do=clear]")
    draw_apple(page)
    guessed(page, "Apple", "Tomato")
    box_says(page, page.inner_text(f"{GUESSES} >> nth=0"))
    page.click(BOX)
    page.keyboard.type("banana")
    page.keyboard.press("Enter")
    page.reload()
    guessed(page, "Apple", "Tomato")
    box_says(page, "Banana")
    page.click("[data-do=clear]")
    draw_apple(page)
    guessed(page, "Apple", "Tomato")
    assert page.input_value(BOX) == "Banana"


def test_a_link_and_an_example_say_what_it_is(open_at):
    page = open_at("?subject=apple")
    draw_star(page)
    guessed(page, "Star")
    assert page.input_value(BOX) == "Apple"
    page = open_at()
    page.click("#examples button[data-subject=umbrella]")
    page.wait_for_selector(GUESSES)
    box_says(page, "Umbrella")
    page.click("[data-do=clear]")
    draw_star(page)
    guessed(page, "Star")
    assert page.input_value(BOX) == "Umbrella"


def test_late_answers_count_no_longer(page):
    held = []
    page.route(ASKED, lambda route: held.append(route) if not held else route.continue_())
    draw_star(page)
    page.wait_for_timeout(200)
    page.click("[data-do=clear]")
    draw_apple(page)
    guessed(page, "Apple", "Tomato")
    first = page.inner_text(f"{GUESSES} >> nth=0")
    with page.expect_response(ASKED):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert page.inner_text(f"{GUESSES} >> nth=0") == first == page.input_value(BOX)


def test_guesses_that_do_not_come_are_not_missed(page):
    page.route(ASKED, lambda route: route.abort())
    draw_star(page)
    page.click("#generate")
    wait_for(page, "done")
    assert page.locator(GUESSES).count() == 0 and page.input_value(BOX) == "Apple"


def test_live_paints_what_is_guessed(page):
    page.check("#live input")
    draw_star(page)
    box_says(page, "Star")
    wait_for(page, "done")
    page.click("[data-row=mine]")
    page.wait_for_function("document.querySelector('.mine button')?.title.startsWith('star')")


def test_a_model_with_other_labels_gets_no_guesses(page):
    draw_star(page)
    guessed(page, "Star")
    if page.is_hidden("#picker"):
        page.locator("#advanced button").first.click()
    page.click("#picker input")
    page.get_by_role("option", name="b").click()
    page.wait_for_selector(".guesses", state="hidden")
    draw_line(page, (0.2, 0.2), (0.8, 0.8))
    page.click("#generate")
    wait_for(page, "done")
    assert page.locator(GUESSES).count() == 0


def test_a_finger_takes_a_guess(open_at):
    page = open_at(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.touchscreen.tap(*at(page, 0.5, 0.5))
    page.wait_for_selector(GUESSES)
    name = page.locator(GUESSES).nth(1).inner_text()
    page.locator(GUESSES).nth(1).tap()
    box_says(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_a_judge_nobody_asks(open_page):
    asked = []
    page = open_page()
    page.on("request", lambda request: asked.append(request.url))
    draw_star(page)
    page.click("#generate")
    wait_for(page, "done")
    assert asked and not [address for address in asked if "component_server" in address]
    assert page.locator(".guesses").count() == 0


def strength(page, value: float) -> None:
    page.wait_for_function(f"Number(document.querySelector('#strength input[type=number]').value) == {value}")


def test_outlines_colours_and_photos_each_get_their_strength_until_it_is_set_by_hand(page, tmp_path):
    draw_star(page)
    strength(page, 1)
    assert "Outlines" in page.inner_text("#strength")
    pick(page, "b")  # which is not told the drawing
    strength(page, 0.6)
    pick(page, "a")
    strength(page, 1)
    page.click("[data-do=clear]")
    draw_apple(page)
    strength(page, 0.6)
    colours = np.random.default_rng(0).integers(0, 200, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(colours).resize((640, 480), Image.Resampling.BICUBIC).save(tmp_path / "photo.png")
    page.set_input_files("#canvas input[type=file]", tmp_path / "photo.png")
    strength(page, 0.25)
    assert "photo" in page.inner_text("#strength")
    set_slider(page, "Strength", 0.4)
    page.click("[data-do=clear]")
    draw_star(page)
    page.wait_for_function("!document.querySelector('#strength').innerText.includes('photo')")
    strength(page, 0.4)


def test_an_earlier_picture_s_strength_is_its_own(page):
    draw_star(page)
    strength(page, 1)
    set_slider(page, "Strength", 0.6)
    page.click("#generate")
    wait_for(page, "done")
    page.click("[data-do=clear]")
    draw_apple(page)
    guessed(page, "Apple", "Tomato")
    page.click("[data-row=mine]")
    page.click(".mine button")
    guessed(page, "Star")
    page.wait_for_timeout(500)
    strength(page, 0.6)

"""Sharing in a real Chromium: links, settings in files, and the pictures made since the page was opened."""

from __future__ import annotations

import base64
import zlib

import pytest
from PIL import Image

from conftest import apple_drawing
from diffusion.page.canvas_io import data_url
from diffusion.page.settings import Settings

from .actions import (
    CANVAS_READY,
    DRAWING,
    INK,
    RESULT,
    at,
    choose_subject,
    count_frames,
    count_phases,
    draw_circle,
    ink,
    paint,
    phases,
    say,
    set_slider,
    wait_for,
)

THUMBS = ".mine button"


def huge_png() -> bytes:
    """A few bytes that say they are a large picture."""
    size = (60_000).to_bytes(4, "big")
    head = b"IHDR" + size + size + bytes([4, 3, 0, 0, 0])
    checksum = zlib.crc32(head).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + len(head[4:]).to_bytes(4, "big") + head + checksum


def number(page, name: str) -> float:
    return float(page.get_by_label(f"number input for {name}").input_value())


def wait_for_seed(page, seed: int) -> None:
    page.wait_for_function(f"document.querySelector('#seed input').value == '{seed}'")


def open_gallery(page) -> None:
    page.click(".switch [data-row=mine]")


def count_thumbs(page) -> int:
    return page.locator(THUMBS).count()


def test_a_link_brings_the_settings_of_a_picture(page, server):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_subject(page, "Cat")
    page.wait_for_function("document.querySelectorAll('#label-1 label').length == 2")
    page.click("#label-1 label:has-text('3D')")
    set_slider(page, "Strength", 0.35)
    set_slider(page, "Steps", 8)
    draw_circle(page)
    paint(page, 41)
    page.click("[data-do=link]")
    page.wait_for_function("document.querySelector('.say').textContent.startsWith('The link is copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(server.url) and "subject=cat&style=fluent-3d" in link and len(link) < 4500

    other = page.context.new_page()
    other.goto(link.replace("?", "?__theme=dark&unknown=1&"))
    wait_for(other, "done")  # nobody pressed anything
    assert ink(other) == pytest.approx(ink(page), abs=0.01), "the drawing is there, too"
    other.wait_for_function(f"({INK})('{RESULT}') > 0.01")
    other.locator("#advanced button").first.click()
    other.wait_for_selector("#seed input")
    wait_for_seed(other, 41)
    assert other.locator("#label-0 input").input_value() == "Cat"
    assert other.get_by_label("3D", exact=True).is_checked()
    assert number(other, "Strength") == 0.35, "what the link says, not what becomes such a drawing"

    draw_circle(other)
    before, made = ink(other), count_thumbs(other)
    other.reload()
    other.wait_for_function(f"Math.abs(({INK})('{DRAWING}') - {before}) < 0.004")
    other.wait_for_timeout(500)
    assert count_thumbs(other) == made, "what was done since is not undone by the link, nor painted again"
    other.goto(server.url + "?model=tiny&subject=pear&steps=nonsense&seed=43#d=")
    wait_for(other, "done")
    assert ink(other) == 0 and "seed 43." in say(other), "a link to a picture without a drawing"
    other.close()


def test_a_saved_picture_brings_its_settings_along(page, tmp_path):
    settings = Settings("tiny", {"subject": "pear", "style": "photo"}, 0.45, 9, 3.0, 0.0, 77, False)
    url = data_url(apple_drawing(), settings)
    (tmp_path / "pear.png").write_bytes(base64.b64decode(url.split(",")[1]))
    page.set_input_files("#canvas input[type=file]", tmp_path / "pear.png")
    wait_for_seed(page, 77)
    assert page.locator("#label-0 input").input_value() == "Pear"
    assert (number(page, "Strength"), number(page, "Steps")) == (0.45, 9)
    assert not page.locator("#colour input").is_checked()
    page.wait_for_function(f"({INK})('{DRAWING}') > 0.1")
    page.click("#colour label")

    Image.new("RGB", (40, 40), "green").save(tmp_path / "plain.png")
    page.set_input_files("#canvas input[type=file]", tmp_path / "plain.png")
    page.wait_for_function(f"({INK})('{DRAWING}') > 0.9")
    assert page.locator("#seed input").input_value() == "77", "a picture without settings changes none"


def test_a_saved_picture_brings_its_drawing_along_and_is_made_again(page, tmp_path):
    draw_circle(page)
    before = ink(page)
    set_slider(page, "Strength", 0.45)
    paint(page, 78)
    for action, name in (("png", "small.png"), ("large", "large.png")):
        with page.expect_download() as download:
            page.click(f"[data-do={action}]")
        download.value.save_as(tmp_path / name)
        page.click("[data-do=clear]")
        paint(page, 79)
        page.set_input_files("#canvas input[type=file]", tmp_path / name)
        page.get_by_text("brought its settings along").first.wait_for()
        page.wait_for_function("document.querySelector('.say').textContent.includes('seed 78.')")
        assert ink(page) == pytest.approx(before, abs=0.001)
        assert number(page, "Strength") == 0.45


BAD_LINKS = {
    "no picture": "AAAA",
    "letters": "!!!",
    "huge": base64.urlsafe_b64encode(huge_png()).decode().rstrip("="),
    "long": "iVBORw0KGgoAAAANSUhEUgAAAQAAAAEABAMAAACuXLVV" + "A" * 20_000,
    "cut": "iVBORw0KGgoAAAANSUhEUgAAAQAAAAEABAMAAACuXLVVAAAA",
}


def test_what_a_link_brings_is_looked_at_first(open_page):
    page = open_page()
    page.evaluate("""() => {
      window.decoded = 0;
      const decode = createImageBitmap;
      window.createImageBitmap = (...given) => { decoded++; return decode(...given); };
    }""")
    for what, letters in BAD_LINKS.items():
        page.evaluate("hash => { decoded = 0; location.hash = hash; }", f"#d={letters}")
        page.wait_for_timeout(300)
        assert ink(page) == 0 and page.get_attribute("body", "data-doodle") == "empty", what
        assert page.evaluate("decoded") <= (what == "cut"), "nobody opens what is no small PNG"
        assert bool(page.inner_text(".paper .note")) == (what == "cut"), "one that is damaged is said to be"


def test_a_drawing_that_is_too_much_for_a_link_stays_behind_and_the_page_says_so(page, server, tmp_path):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    noise = Image.effect_noise((256, 256), 90).convert("RGB")
    noise.save(tmp_path / "noise.png")
    page.set_input_files("#canvas input[type=file]", tmp_path / "noise.png")
    page.wait_for_function(f"({INK})('{DRAWING}') > 0.5")
    paint(page, 80)
    page.click("[data-do=link]")
    page.wait_for_function("document.querySelector('.say').textContent.includes('words and settings only')")
    assert "#" not in page.evaluate("navigator.clipboard.readText()")


def test_a_picture_is_handed_to_other_apps_where_the_browser_can(open_page, browser, server):
    context = browser.new_context()
    context.add_init_script("""
      navigator.canShare = ({files}) => files?.every(({type}) => type === 'image/png') ?? false;
      navigator.share = async (what) => {
        window.shared = [what.files[0].name, what.files[0].size, what.title];
        if (window.refuses) throw new DOMException('no', window.refuses);
      };""")
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector(CANVAS_READY)
    draw_circle(page)
    page.click("#generate")
    wait_for(page, "done")
    page.click("[data-do=share]")
    name, size, title = page.wait_for_function("window.shared").json_value()
    assert name.endswith("-7.png") and size > 2000 and title
    page.evaluate("window.refuses = 'AbortError'")
    before = say(page)
    page.click("[data-do=share]")
    page.wait_for_timeout(300)
    assert say(page) == before, "a person who changed their mind hears nothing"
    page.evaluate("window.refuses = 'DataError'")
    page.click("[data-do=share]")
    page.wait_for_function(f"document.querySelector('.say').textContent != {before!r}")  # there is the link
    context.close()
    assert open_page().is_hidden("[data-do=share]"), "here it cannot"


def test_an_earlier_picture_comes_back_with_all_that_made_it(page):
    open_gallery(page)
    choose_subject(page, "Apple")
    set_slider(page, "Strength", 0.5)
    set_slider(page, "Steps", 10)
    draw_circle(page)
    page.click("[data-tool=keep]")
    page.mouse.click(*at(page, 0.2, 0.5))
    before, kept = ink(page), ink(page, "#canvas canvas.keep")
    made = count_thumbs(page)
    paint(page, 51)
    page.wait_for_function(f"document.querySelectorAll('{THUMBS}').length == {made + 1}")

    page.click("[data-do=clear]")
    choose_subject(page, "Pear")
    set_slider(page, "Strength", 0.9)
    paint(page, 52)
    page.wait_for_function(f"document.querySelectorAll('{THUMBS}').length == {made + 2}")
    page.locator(THUMBS).nth(1).click()
    wait_for_seed(page, 51)
    assert page.locator("#label-0 input").input_value() == "Apple"
    assert number(page, "Strength") == 0.5
    assert "seed 51." in say(page) and count_frames(page) == 5
    assert ink(page) == pytest.approx(before, abs=0.002)
    assert ink(page, "#canvas canvas.keep") == pytest.approx(kept, abs=0.002) and kept > 0
    page.locator(".scrub").fill("1")
    assert say(page) == "Step 2 of 5"
    page.click("[data-do=undo]")
    assert ink(page) == 0, "what was on the canvas is not lost"


def test_one_of_several_stands_beside_them_all(page):
    open_gallery(page)
    made = count_thumbs(page)
    page.click("#pictures label:nth-child(2)")
    draw_circle(page)
    page.click("#generate")
    page.wait_for_selector(".cells button")
    page.wait_for_function(f"document.querySelectorAll('{THUMBS}').length == {made + 1}")
    page.click(".cells button >> nth=2")
    page.wait_for_function(f"document.querySelectorAll('{THUMBS}').length == {made + 2}")
    page.locator(THUMBS).nth(1).click()
    page.wait_for_selector(".cells button")
    page.click("#pictures label:nth-child(1)")


def test_live_keeps_a_picture_only_where_one_pauses(page, server):
    def redraw(x, y):
        before = len(phases(page))
        page.mouse.click(*at(page, x, y))
        page.wait_for_function(f"phases.slice({before}).includes('done')")

    server.delay = 0.1
    open_gallery(page)
    made = count_thumbs(page)
    set_slider(page, "Steps", 6)
    page.check("#live input")
    page.wait_for_function("document.body.dataset.live == 'on'")
    count_phases(page)
    for x in (0.3, 0.5, 0.7):
        redraw(x, 0.5)
    assert count_thumbs(page) == made
    page.wait_for_function(f"document.querySelectorAll('{THUMBS}').length == {made + 1}")
    redraw(0.5, 0.7)
    before = page.inner_text(".say")
    count_phases(page)
    page.locator(THUMBS).last.click()
    page.wait_for_function(f"document.querySelector('.say').textContent != {before!r}")
    assert count_thumbs(page) == made + 2, "doing something else keeps the last one"
    redraw(0.7, 0.7)
    assert phases(page).count("wait") == 1, "no run but the one just asked for"
    page.uncheck("#live input")


def test_keys_generate_choose_and_stop_but_not_while_typing(page, server):
    choose_subject(page, "Apple")
    page.wait_for_function("document.querySelectorAll('#label-1 label').length == 3")
    page.click("h1")
    page.keyboard.press("2")
    page.wait_for_function("document.querySelector('#label-1 label:nth-child(2)').matches('.selected')")
    page.keyboard.press("Control+1")
    set_slider(page, "Strength", 1)
    set_slider(page, "Steps", 50)
    server.delay = 0.25
    page.locator("#seed input").press("Enter")
    assert page.get_attribute("body", "data-doodle") not in ("wait", "run")
    page.click("h1")
    page.keyboard.press("Enter")
    wait_for(page, "run")
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.say').textContent.includes('Stopped after ')")
    assert page.locator("#label-1 label").nth(1).get_attribute("class").count("selected")


def test_every_control_has_a_name(page):
    nameless = page.evaluate("""() =>
      [...document.querySelectorAll('#page button, #page input, #page canvas')]
      .filter((e) => e.checkVisibility() && !e.closest('[aria-hidden=true]') && e.ariaHidden !== 'true')
      .filter((e) => !(e.ariaLabel || e.labels?.[0]?.textContent.trim() || e.textContent.trim()
        || e.title || e.getAttribute('aria-labelledby') || e.querySelector('img')?.alt))
      .map((e) => e.outerHTML.slice(0, 200))""")
    assert nameless == []

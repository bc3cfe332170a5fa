"""The drawing canvas alone, in a real Chromium: what it sends, and when."""

from __future__ import annotations

import pytest

from conftest import COLOURS
from diffusion.page.canvas_io import read_canvas

from .actions import DRAWING, at, choose_subject, dot, draw_circle, draw_line, ink
from .canvas_page import RED, WHITE, dots, load, look


@pytest.fixture
def page(canvas_page):
    return canvas_page


def test_each_stroke_sends_a_drawing_that_shows_it(page, canvas):
    places = [(0.1 + 0.2 * (i % 5), 0.1 + 0.2 * (i // 5)) for i in range(25)]
    canvas.seconds = 0.1  # a server that is busy with earlier strokes
    for place in places:
        dot(page, *place)
    left = canvas.wait(page, 25)
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
    canvas.wait(page, 5)
    sent = canvas.settle(page)
    assert len(sent) == 5, "and not oftener"
    assert sent[1] == sent[4] == "", "blank"
    assert sent[0] == sent[2] != sent[3]
    assert all(value["keep"] == "" for value in (sent[0], sent[2], sent[3]))


def test_an_example_or_a_result_is_a_change(page, canvas):
    load(page, "pen.fillRect(10, 10, 30, 30);")
    (value,) = canvas.wait(page, 1)
    assert read_canvas(value)[0].size == (512, 512)
    assert ink(page, DRAWING) > 0


# ---- keep this


def test_what_is_marked_is_kept(page, canvas):
    draw_line(page, (0.2, 0.5), (0.8, 0.5))
    page.click("[data-tool=keep]")
    draw_line(page, (0.2, 0.5), (0.5, 0.5))
    plain, marked = canvas.wait(page, 2)
    assert plain["picture"] == marked["picture"], "the mark is no paint"
    assert read_canvas(marked)[1].size == (512, 512)
    assert look(marked, 0.3, 0.5) == (RED, True)
    assert look(marked, 0.7, 0.5) == (RED, False)
    assert look(marked, 0.3, 0.8) == (WHITE, False)


def test_paper_without_a_drawing_can_be_kept(page, canvas):
    page.click("[data-tool=keep]")
    assert "must stay" in page.inner_text(".tip")
    dot(page, 0.3, 0.3)
    assert not page.is_visible(".paper .hint") and not page.is_visible(".tip")
    assert look(canvas.wait(page, 1)[0], 0.3, 0.3) == (WHITE, True)


def test_marks_and_strokes_share_one_history(page, canvas):
    dot(page, 0.3, 0.3)
    page.click("[data-tool=keep]")
    dot(page, 0.3, 0.3)
    page.click("[data-tool=brush]")
    dot(page, 0.6, 0.6)
    for action in ["undo", "undo", "undo", "redo", "redo", "redo", "clear", "undo"]:
        page.click(f"[data-do={action}]")
    sent = canvas.wait(page, 11)
    assert sent[3:6] == [sent[1], sent[0], ""]
    assert sent[6:9] == sent[:3]
    assert sent[9:] == ["", sent[2]]
    assert look(sent[2], 0.3, 0.3) == (RED, True)


def test_the_eraser_takes_off_what_lies_on_top(page, canvas):
    draw_line(page, (0.2, 0.5), (0.8, 0.5))
    page.click("[data-tool=keep]")
    draw_line(page, (0.2, 0.5), (0.4, 0.5))
    page.click("[data-tool=eraser]")
    draw_line(page, (0.3, 0.5), (0.7, 0.5))  # sets down on the mark
    draw_line(page, (0.3, 0.5), (0.5, 0.5))  # the mark is gone from there
    *_, unmarked, erased = canvas.wait(page, 4)
    assert look(unmarked, 0.3, 0.5) == look(unmarked, 0.6, 0.5) == (RED, False)
    assert look(unmarked, 0.2, 0.5) == (RED, True)
    assert look(erased, 0.4, 0.5) == (WHITE, False)
    assert look(erased, 0.2, 0.5) == (RED, True)


def test_a_new_picture_comes_without_marks(page, canvas):
    page.click("[data-tool=keep]")
    dot(page, 0.3, 0.3)
    load(page, "pen.fillRect(10, 10, 30, 30);")
    canvas.wait(page, 2)
    page.click("[data-do=undo]")
    marked, loaded, undone = canvas.wait(page, 3)
    assert loaded["keep"] == "" and undone == marked


# ---- tools and keys


def pressed(page) -> list[str]:
    """The tool and the width that are chosen."""
    chosen = page.locator("[data-tool][aria-pressed=true], [data-width][aria-pressed=true]")
    return chosen.evaluate_all("all => all.map(b => b.dataset.tool ?? b.dataset.width)")


def test_keys_choose_the_tool_and_the_width(page):
    page.click("[data-width='24']")
    for key, chosen in [
        ("e", ["eraser", "24"]), ("]", ["eraser", "48"]), ("]", ["eraser", "48"]), ("k", ["keep", "48"]),
        ("[", ["keep", "24"]), ("F", ["fill", "24"]), ("b", ["brush", "24"]),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert pressed(page) == chosen
    page.keyboard.press("Control+e")
    page.keyboard.press("Alt+k")
    assert pressed(page) == ["brush", "24"], "the browser's own"
    page.fill("#text textarea, #text input", "")
    page.keyboard.type("keep [")
    assert pressed(page) == ["brush", "24"], "somebody is writing"


def test_undo_while_the_pen_is_down_ends_the_stroke_first(page, canvas):
    page.mouse.move(*at(page, 0.2, 0.2))
    page.mouse.down()
    page.mouse.move(*at(page, 0.4, 0.2))
    page.keyboard.press("Control+z")
    page.mouse.move(*at(page, 0.6, 0.2))
    page.mouse.up()
    canvas.wait(page, 2)
    assert ink(page) == 0
    page.click("[data-do=redo]")
    drawn = canvas.wait(page, 3)[-1]
    assert look(drawn, 0.3, 0.2)[0] == RED and look(drawn, 0.55, 0.2)[0] == WHITE


def test_everything_has_a_name(page):
    nameless = page.locator(".doodle button:not([title]):not([hidden])").evaluate_all(
        "all => all.filter(b => !b.ariaLabel && !b.textContent.trim()).length"
    )
    assert nameless == 0
    assert page.get_by_role("button", name="Keep this").count() == 1
    assert "Keys" in page.get_attribute(DRAWING, "aria-label")


def test_typical_colours_follow_the_subject_and_leave_the_drawing(open_page):
    page = open_page()

    def offered(name):
        page.wait_for_function(f"document.querySelector('.typical').ariaLabel == 'Typical of {name}'")
        return page.locator(".typical button").evaluate_all("all => all.map(b => b.dataset.paint)")

    draw_circle(page)
    before = ink(page)
    assert offered("apple") == COLOURS["apple"]
    choose_subject(page, "Ice cream")
    assert offered("ice cream") == COLOURS["ice cream"]
    page.locator(".typical button").nth(2).click()
    dot(page, 0.5, 0.5)
    assert ink(page) > before
    centre = "document.querySelector('canvas.paint').getContext('2d').getImageData(256, 256, 1, 1).data"
    assert page.evaluate(f"[...{centre}].slice(0, 3)") == [0xC9, 0x8A, 0x4B]
    choose_subject(page, "Cat")
    page.wait_for_selector(".typical", state="hidden")


def beside(page) -> tuple[float, float]:
    """A place beside the canvas, where nothing else is."""
    box = page.locator("canvas.paint").bounding_box()
    return box["x"] + box["width"] + 20, box["y"] + box["height"] / 2


def test_a_stroke_begun_beside_the_canvas_draws_from_where_it_enters(canvas_page, canvas):
    x, y = beside(canvas_page)
    canvas_page.mouse.move(x, y)
    canvas_page.mouse.down()
    canvas_page.mouse.move(x - 120, y, steps=6)
    canvas_page.mouse.up()
    (value,) = canvas.wait(canvas_page, 1)
    assert look(value, 0.97, 0.5)[0] == RED and look(value, 0.3, 0.5)[0] == WHITE


def test_a_pointer_that_only_passes_or_moves_a_button_s_leaves_nothing(canvas_page, canvas):
    x, y = beside(canvas_page)
    canvas_page.mouse.move(x, y)
    canvas_page.mouse.move(x - 120, y, steps=4)
    tool = canvas_page.locator("[data-tool=brush]").bounding_box()
    canvas_page.mouse.move(tool["x"] + 5, tool["y"] + 5)
    canvas_page.mouse.down()
    canvas_page.mouse.move(x - 120, y, steps=4)
    canvas_page.mouse.up()
    assert canvas.settle(canvas_page) == []


def pen_stroke(page, y: float, force: float) -> None:
    box = page.locator("canvas.paint").bounding_box()
    session = page.context.new_cdp_session(page)
    for kind, x in [("mousePressed", 0.2), ("mouseMoved", 0.5), ("mouseMoved", 0.8), ("mouseReleased", 0.8)]:
        session.send("Input.dispatchMouseEvent", {
            "type": kind, "x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"],
            "button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1,
            "pointerType": "pen", "force": force,
        })  # fmt: skip


def test_a_pen_that_is_pressed_harder_draws_wider(canvas_page, canvas):
    for y, force in ((0.25, 0.15), (0.75, 0.95)):
        pen_stroke(canvas_page, y, force)
    value = canvas.wait(canvas_page, 2)[-1]
    width = [sum(look(value, 0.5, y + d / 512)[0] != WHITE for d in range(-40, 40)) for y in (0.25, 0.75)]
    assert 0 < width[0] < 0.6 * width[1], width

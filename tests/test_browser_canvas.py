"""The drawing canvas alone, in a real Chromium: what it sends, and when."""

from __future__ import annotations

import time

import pytest
from PIL import Image

gr = pytest.importorskip("gradio")
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from conftest import COLOURS, apple_drawing
from diffusion.page import app
from diffusion.page.canvas_io import read_canvas
from diffusion.page.components import doodle_canvas
from test_browser import DRAWING, PATIENCE, at, choose_subject, draw_circle, ink, open_page  # noqa: F401


class Canvas:
    """A page with nothing but the canvas, and what its events brought to Python, oldest first."""

    def __init__(self):
        self.sent: list[dict | str] = []
        self.errors: list[str] = []
        self.seconds = 0.0  # that Python takes over each
        with gr.Blocks() as self.demo:
            canvas = doodle_canvas()
            gr.Textbox(elem_id="text")
            canvas.stroke(self.receive, canvas, None, queue=False, trigger_mode="multiple")
        _, self.url, _ = app.launch(self.demo, prevent_thread_lock=True, quiet=True)

    def open(self, browser, **options):
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(self.url)
        page.wait_for_selector(".paper.blank")
        return page

    def receive(self, value):
        self.sent.append(value)
        time.sleep(self.seconds)

    def wait(self, page, count: int) -> list:
        """What was sent, once there are `count` of them."""
        for _ in range(PATIENCE // 50):
            if len(self.sent) >= count:
                return list(self.sent)
            page.wait_for_timeout(50)
        raise AssertionError(f"{len(self.sent)} events, not {count}")


@pytest.fixture(scope="module")
def canvas():
    canvas = Canvas()
    yield canvas
    canvas.demo.close()


@pytest.fixture(scope="module")
def alone(browser, canvas):
    page = canvas.open(browser, viewport={"width": 1000, "height": 900}, permissions=["camera"])
    yield page
    page.context.close()
    assert not canvas.errors


@pytest.fixture
def page(alone, canvas):
    """The canvas blank again, and nothing on its way to Python."""
    yield alone
    alone.wait_for_timeout(200)
    if alone.is_enabled("[data-do=clear]"):
        before = len(canvas.sent)
        alone.click("[data-do=clear]")
        canvas.wait(alone, before + 1)
    alone.click("[data-tool=brush]")
    canvas.sent.clear()
    canvas.seconds = 0.0


def dot(page, x: float, y: float) -> None:
    page.mouse.click(*at(page, x, y))


def line(page, *points: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=4)
    page.mouse.up()


def look(value: dict, x: float, y: float) -> tuple:
    """What a value holds at a place: the drawing's colour, and whether it is to be kept."""
    picture, keep = read_canvas(value)
    place = (round(x * 511), round(y * 511))
    assert keep is None or set(keep.convert("RGB").tobytes()) <= {0, 255}, "nothing between black and white"
    return picture.getpixel(place)[:3], keep is not None and keep.getpixel(place)[:3] == (0, 0, 0)


def load(page, picture: str) -> None:
    """Put a picture on the canvas as an example does; `picture` is JavaScript that paints on `pen`."""
    page.evaluate(f"""() => {{
      const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
      {picture}
      window.dispatchEvent(new CustomEvent('doodle:load', {{detail: canvas.toDataURL()}}));
    }}""")


def dots(value: dict, places: list[tuple[float, float]]) -> int:
    """How many of the places are painted."""
    picture, _ = read_canvas(value)
    return sum(picture.getpixel((round(x * 512), round(y * 512)))[:3] != (255, 255, 255) for x, y in places)


def test_each_stroke_sends_a_drawing_that_shows_it(page, canvas):
    places = [(0.1 + 0.2 * (i % 5), 0.1 + 0.2 * (i // 5)) for i in range(25)]
    left = []  # what left the browser, in the order of the events
    page.on("request", lambda r: left.append(r.post_data_json["data"][0]) if r.method == "POST" else None)
    canvas.seconds = 0.1  # a server that is busy with earlier strokes
    for place in places:
        dot(page, *place)
    canvas.wait(page, 25)
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
    sent = canvas.wait(page, 5)
    page.wait_for_timeout(300)
    assert len(canvas.sent) == 5, "and not oftener"
    assert sent[1] == sent[4] == "", "blank"
    assert sent[0] == sent[2] != sent[3]
    assert all(value["keep"] == "" for value in (sent[0], sent[2], sent[3]))


def test_an_example_or_a_result_is_a_change(page, canvas):
    load(page, "pen.fillRect(10, 10, 30, 30);")
    (value,) = canvas.wait(page, 1)
    assert read_canvas(value)[0].size == (512, 512)
    assert ink(page, DRAWING) > 0


# ---- keep this

RED, WHITE = (226, 59, 59), (255, 255, 255)


def test_what_is_marked_is_kept(page, canvas):
    line(page, (0.2, 0.5), (0.8, 0.5))
    page.click("[data-tool=keep]")
    line(page, (0.2, 0.5), (0.5, 0.5))
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
    line(page, (0.2, 0.5), (0.8, 0.5))
    page.click("[data-tool=keep]")
    line(page, (0.2, 0.5), (0.4, 0.5))
    page.click("[data-tool=eraser]")
    line(page, (0.3, 0.5), (0.7, 0.5))  # sets down on the mark
    line(page, (0.3, 0.5), (0.5, 0.5))  # the mark is gone from there
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


# ---- pictures from outside


def test_a_picture_is_laid_on_white_and_shrunk(page, canvas, tmp_path):
    wide = Image.new("RGBA", (3000, 1500), (0, 0, 255, 0))  # a see-through blue
    wide.paste((0, 128, 0, 255), (1000, 500, 2000, 1000))
    wide.save(tmp_path / "wide.png")
    line(page, (0.1, 0.1), (0.9, 0.1))
    page.set_input_files("#canvas input[type=file]", tmp_path / "wide.png")
    _, value = canvas.wait(page, 2)
    assert look(value, 0.5, 0.5)[0] == (0, 128, 0)
    for place in [(0.1, 0.5), (0.5, 0.3), (0.5, 0.1)]:
        assert look(value, *place)[0] == WHITE


def test_a_persons_file_is_announced_and_an_example_is_not(page, canvas, tmp_path):
    apple_drawing(64).save(tmp_path / "saved-by-us.png")
    page.evaluate("window.files = []; window.addEventListener('doodle:file', e => files.push(e.detail.name))")
    page.set_input_files("#canvas input[type=file]", tmp_path / "saved-by-us.png")
    canvas.wait(page, 1)
    load(page, "pen.fillRect(10, 10, 30, 30);")
    canvas.wait(page, 2)
    assert page.evaluate("files") == ["saved-by-us.png"]


def test_a_file_that_is_no_picture_changes_nothing(page, canvas, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no picture")
    page.set_input_files("#canvas input[type=file]", tmp_path / "no.png")
    page.wait_for_selector(".note:not(:empty)")
    assert "not a picture" in page.inner_text(".note")
    page.wait_for_timeout(200)
    assert canvas.sent == []


# ---- the webcam

REMEMBER = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => window.seen = await ask(wish);
}"""
ENDED = "seen.getTracks().every(track => track.readyState == 'ended')"


@pytest.fixture
def webcam(page):
    page.evaluate(REMEMBER)
    assert page.evaluate("window.seen = null") is None
    page.click("[data-do=camera]")
    page.wait_for_selector("[data-do=snap]:enabled")
    assert not page.evaluate(ENDED)
    return page


def test_the_webcam_takes_a_picture(webcam, canvas):
    webcam.click("[data-do=snap]")
    (value,) = canvas.wait(webcam, 1)
    assert look(value, 0.05, 0.05)[0][1] > 90, "the fake camera is green"
    assert webcam.evaluate(ENDED) and not webcam.is_visible(".camera")


@pytest.mark.parametrize("end", ["cancel", "escape", "hide"])
def test_the_webcam_is_switched_off(webcam, canvas, end):
    if end == "cancel":
        webcam.click("[data-do=cancel]")
    if end == "escape":
        webcam.keyboard.press("Escape")
    if end == "hide":
        webcam.evaluate("""() => {
          Object.defineProperty(document, 'hidden', {value: true, configurable: true});
          document.dispatchEvent(new Event('visibilitychange'));
          delete document.hidden;
        }""")
    webcam.wait_for_selector(".camera", state="hidden")
    assert webcam.evaluate(ENDED)
    assert canvas.sent == []


@pytest.mark.parametrize(
    "error, sentence", [("NotAllowedError", "not allowed"), ("NotFoundError", "no camera")]
)
def test_without_a_camera_there_is_a_sentence(page, error, sentence):
    page.evaluate(f"""() => {{
      navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}'); }};
    }}""")
    page.click("[data-do=camera]")
    page.wait_for_selector(".note:not(:empty)")
    assert sentence in page.inner_text(".note")
    assert not page.is_visible(".camera")


# ---- fingers


def touch(cdp, kind: str, *points: tuple[float, float]) -> None:
    places = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": places})


def test_one_finger_draws_and_two_scroll(browser, canvas):
    size = {"width": 390, "height": 500}
    page = canvas.open(browser, viewport=size, device_scale_factor=2, has_touch=True, is_mobile=True)
    cdp = page.context.new_cdp_session(page)
    x, y = at(page, 0.3, 0.7)
    touch(cdp, "Start", (x, y))
    for i in range(1, 9):
        touch(cdp, "Move", (x + 5 * i, y - 20 * i))
    touch(cdp, "End")
    (value,) = canvas.wait(page, 1)
    assert ink(page) > 0.02 and page.evaluate("scrollY") == 0

    touch(cdp, "Start", (x, y))
    touch(cdp, "Start", (x, y), (x + 90, y))
    for i in range(1, 9):
        touch(cdp, "Move", (x, y - 20 * i), (x + 90, y - 20 * i))
        page.wait_for_timeout(16)
    touch(cdp, "End")
    page.wait_for_function("scrollY > 30")
    page.wait_for_timeout(300)
    assert len(canvas.sent) == 1, "setting down the first finger was no stroke"
    small = page.locator(".doodle button:visible").evaluate_all(
        "all => all.map(b => b.getBoundingClientRect()).filter(r => r.height < 40 || r.width < 30).length"
    )
    assert small == 0
    page.context.close()
    canvas.sent.clear()

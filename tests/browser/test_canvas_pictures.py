"""The drawing canvas alone, in a real Chromium: pictures from outside, the webcam, fingers."""

from __future__ import annotations

import pytest
from PIL import Image

from conftest import apple_drawing
from diffusion.page.canvas_io import read_source

from .actions import at, dot, draw_line, ink
from .canvas_page import WHITE, load, look


@pytest.fixture
def page(canvas_page):
    return canvas_page


def test_a_picture_is_laid_on_white_and_shrunk(page, canvas, tmp_path):
    wide = Image.new("RGBA", (3000, 1500), (0, 0, 255, 0))  # a see-through blue
    wide.paste((0, 128, 0, 255), (1000, 500, 2000, 1000))
    wide.save(tmp_path / "wide.png")
    draw_line(page, (0.1, 0.1), (0.9, 0.1))
    page.set_input_files("#canvas input[type=file]", tmp_path / "wide.png")
    _, value = canvas.wait(page, 2)
    assert look(value, 0.5, 0.5)[0] == (0, 128, 0)
    for place in [(0.1, 0.5), (0.5, 0.3), (0.5, 0.1)]:
        assert look(value, *place)[0] == WHITE


def test_a_picture_comes_along_in_its_own_pixels_until_it_is_painted_on(page, canvas, tmp_path):
    Image.new("RGB", (40, 24), "green").save(tmp_path / "small.png")
    Image.new("RGB", (300, 600), "green").save(tmp_path / "tall.png")
    page.set_input_files("#canvas input[type=file]", tmp_path / "small.png")
    (value,) = canvas.wait(page, 1)
    source = read_source(value)
    assert source.size == (40, 24) and source.convert("RGB").getpixel((0, 0)) == (0, 128, 0)
    page.set_input_files("#canvas input[type=file]", tmp_path / "tall.png")
    assert read_source(canvas.wait(page, 2)[-1]).size == (128, 256)
    page.click("[data-tool=keep]")
    dot(page, 0.5, 0.5)
    assert read_source(canvas.wait(page, 3)[-1]).size == (128, 256), "it is only marked"
    page.click("[data-tool=brush]")
    dot(page, 0.5, 0.5)
    assert read_source(canvas.wait(page, 4)[-1]) is None
    page.click("[data-do=undo]")
    assert read_source(canvas.wait(page, 5)[-1]).size == (128, 256)


def test_a_persons_file_is_announced_and_an_example_is_not(page, canvas, tmp_path):
    apple_drawing(64).save(tmp_path / "saved-by-us.png")
    page.evaluate(
        "window.files = []; window.addEventListener('doodle:file', e => files.push(e.detail.file.name))"
    )
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
    assert canvas.settle(page) == []


DROP = """async ([selector, kind]) => {
  const data = new DataTransfer();
  if (kind === 'file') {
    const canvas = new OffscreenCanvas(50, 50);
    canvas.getContext('2d').fillRect(10, 10, 30, 30);
    data.items.add(new File([await canvas.convertToBlob()], 'square.png', {type: 'image/png'}));
  } else data.setData(kind, 'https://example.org/cat.png');
  const target = document.querySelector(selector);
  return ['dragover', 'drop'].map((name) => {
    const event = new DragEvent(name, {dataTransfer: data, bubbles: true, cancelable: true});
    target.dispatchEvent(event);
    return event.defaultPrevented;
  });
}"""


@pytest.mark.parametrize("target", [".paper", "body", "#text textarea, #text input"])
def test_a_file_can_be_dropped_anywhere(page, canvas, target):
    assert page.evaluate(DROP, [target, "file"]) == [True, True], "the browser would leave the page for it"
    (value,) = canvas.wait(page, 1)
    assert look(value, 0.5, 0.5)[0] == (0, 0, 0)
    assert page.locator(".dropping").count() == 0


def test_a_picture_of_another_page_gets_a_sentence(page, canvas):
    for target in ("body", ".paper"):
        assert page.evaluate(DROP, [target, "text/uri-list"]) == [True, True]
        assert "address" in page.inner_text(".note")
    assert canvas.settle(page) == []


def test_text_can_be_dropped_on_a_field(page, canvas):
    for kind in ("text/plain", "text/uri-list"):
        assert page.evaluate(DROP, ["#text textarea, #text input", kind]) == [False, False]


def test_a_browser_that_adds_noise_to_what_is_read_back_has_a_blank_canvas(browser, canvas):
    script = """
      const read = CanvasRenderingContext2D.prototype.getImageData;
      CanvasRenderingContext2D.prototype.getImageData = function (...where) {
        const image = read.apply(this, where);
        image.data[0] ^= 1;
        return image;
      };"""
    page = canvas.open(browser, script)
    assert page.is_visible(".paper .hint") and page.is_disabled("[data-do=clear]")
    dot(page, 0.5, 0.5)
    assert page.is_enabled("[data-do=clear]")
    page.click("[data-do=undo]")
    assert page.is_visible(".paper .hint") and page.is_disabled("[data-do=clear]")
    assert canvas.wait(page, 2)[1] == ""
    canvas.forget()
    page.context.close()


# ---- the webcam

REMEMBER = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => window.seen = await ask(wish);
}"""
OWN_CAMERA = "delete navigator.mediaDevices.getUserMedia"  # the browser's again
ENDED = "seen.getTracks().every(track => track.readyState == 'ended')"


@pytest.fixture
def webcam(page):
    page.evaluate(REMEMBER)
    assert page.evaluate("window.seen = null") is None
    page.click("[data-do=camera]")
    page.wait_for_selector("[data-do=snap]:enabled")
    assert not page.evaluate(ENDED)
    yield page
    page.evaluate(OWN_CAMERA)


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
    assert canvas.settle(webcam) == []


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
    page.evaluate(OWN_CAMERA)


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
        page.evaluate("new Promise(requestAnimationFrame)")
    touch(cdp, "End")
    page.wait_for_function("scrollY > 30")
    assert len(canvas.settle(page)) == 1, "setting down the first finger was no stroke"
    small = page.locator(".doodle button:visible").evaluate_all(
        "all => all.map(b => b.getBoundingClientRect()).filter(r => r.height < 40 || r.width < 30).length"
    )
    assert small == 0
    page.context.close()
    canvas.forget()

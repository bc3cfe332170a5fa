"""Parts of the scripts that need no page and no server: flood fill, history, text in a PNG, events."""

from __future__ import annotations

import base64
import io
import json

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from diffusion.page.web import MODULES, js_on_load

from .actions import CANVAS_READY

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # each is a round trip to the browser


@pytest.fixture(scope="module")
def page(modules):
    return modules


# ---- flood fill

FILL = """async ({pixels, side, x, y, rgb}) => {
  const { floodFill } = await import('/canvas/flood.js');
  const data = Uint8ClampedArray.from(atob(pixels), (c) => c.charCodeAt(0));
  const changed = floodFill({data, width: side, height: data.length / 4 / side}, x, y, rgb);
  return {changed, pixels: [...data]};
}"""


def fill(page, image: np.ndarray, x: float, y: float, rgb: tuple) -> tuple[bool, np.ndarray]:
    """Fill a copy of an image, uint8 (H, W, 3)."""
    height, width, _ = image.shape
    rgba = np.dstack([image, np.full((height, width), 255, np.uint8)])
    pixels = base64.b64encode(rgba.tobytes()).decode()
    answer = page.evaluate(FILL, {"pixels": pixels, "side": width, "x": x, "y": y, "rgb": rgb})
    filled = np.array(answer["pixels"], np.uint8).reshape(height, width, 4)
    assert (filled[..., 3] == 255).all()
    return answer["changed"], filled[..., :3]


def flooded(image: np.ndarray, x: int, y: int) -> np.ndarray:
    """What OpenCV takes for the area of one colour: a mask of the image's shape."""
    mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    cv2.floodFill(image.copy(), mask, (x, y), (0, 0, 0), (60, 60, 60), (60, 60, 60), flags)
    return mask[1:-1, 1:-1].astype(bool)


colours = st.tuples(*[st.integers(0, 255)] * 3)


@FEW
@given(data=st.data(), width=st.integers(1, 9), height=st.integers(1, 9), rgb=colours)
def test_flood_fill_takes_the_area_that_opencv_takes(page, data, width, height, rgb):
    seed = data.draw(st.integers(0, 2**32 - 1))
    palette = np.array([[255, 255, 255], [250, 245, 255], [190, 195, 200], [20, 20, 20]], np.uint8)
    image = palette[np.random.default_rng(seed).integers(0, len(palette), (height, width))]
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    changed, filled = fill(page, image, x, y, rgb)
    if tuple(image[y, x]) == rgb:
        assert not changed and (filled == image).all()
        return
    area = flooded(image, x, y)
    expected = image.copy()
    if (image[y, x] > 240).all():  # on paper, what touches the area gets no lighter than the colour
        cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
        rim = cv2.dilate(area.astype(np.uint8), cross).astype(bool) & ~area
        expected[rim] = np.minimum(image[rim], rgb)
    expected[area] = rgb
    assert changed and (filled == expected).all()


def test_flood_fill_stays_inside_an_outline(page):
    image = np.full((40, 40, 3), 255, np.uint8)
    cv2.circle(image, (20, 20), 12, (0, 0, 0), 2)
    _, filled = fill(page, image, 20.7, 20.2, (0, 0, 255))
    assert tuple(filled[20, 28]) == (0, 0, 255) and tuple(filled[1, 1]) == (255, 255, 255)
    _, outside = fill(page, image, -3, 99, (0, 0, 255))
    assert tuple(outside[0, 0]) == (0, 0, 255), "a place beyond the edge counts as the nearest"


# ---- undo and redo

HISTORY = """async ([levels, steps]) => {
  const { History } = await import('/canvas/history.js');
  const history = new History(0, levels);
  return steps.map((step) => {
    const moved = step === 'undo' ? history.undo() : step === 'redo' ? history.redo() : history.push(step);
    return [history.now, history.canUndo, history.canRedo, moved ?? null];
  });
}"""


@FEW
@given(levels=st.integers(1, 4), steps=st.lists(st.sampled_from(["undo", "redo", 1, 2, 3]), max_size=20))
def test_history_is_a_list_with_a_place_in_it(page, levels, steps):
    states, place, expected = [0], 0, []
    for step in steps:
        moved = None
        if step == "undo":
            moved = place > 0
            place -= moved
        elif step == "redo":
            moved = place < len(states) - 1
            place += moved
        else:
            states = [*states[: place + 1], step][-levels - 1 :]
            place = len(states) - 1
        expected.append([states[place], place > 0, place < len(states) - 1, moved])
    assert page.evaluate(HISTORY, [levels, steps]) == expected


# ---- text in a PNG

TEXT = """async ([bytes, key]) => {
  const { pngText } = await import('/png.js');
  return pngText(Uint8Array.from(bytes).buffer, key);
}"""


def png(**texts: str) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    file = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(file, "PNG", pnginfo=info)
    return file.getvalue()


def text_in(page, data: bytes, key: str = "doodle") -> str:
    return page.evaluate(TEXT, [list(data), key])


def test_the_text_of_a_png_is_found_by_its_key(page):
    assert text_in(page, png(other="no", doodle='{"seed": 7}', more="no")) == '{"seed": 7}'
    assert text_in(page, png(doodled="no")) == "", "another key that begins alike"
    assert text_in(page, png(doodle="café")) == "café", "latin-1, as the format has it"
    assert text_in(page, png()) == ""


def test_any_part_of_a_png_and_any_other_file_is_read_without_an_error(page):
    whole = png(doodle="x" * 30)
    end = whole.index(b"x" * 30) + 30
    for length in range(len(whole) + 1):
        found = text_in(page, whole[:length])
        assert found == ("x" * 30 if length >= end else ""), length
    for data in (b"", b"GIF89a", b"\x89PNG", b"\x89PNG\r\n\x1a\n" + b"\xff" * 40):
        assert text_in(page, data) == ""


# ---- events


def test_events_reach_who_listens(page):
    heard = page.evaluate("""async () => {
      const { emit, on } = await import('/bus.js');
      const heard = [];
      on('load', (url) => heard.push(url));
      on('changed', () => heard.push('changed'));
      emit('load', 'data:,x');
      emit('show', {});
      window.dispatchEvent(new Event('doodle:changed'));
      return heard;
    }""")
    assert heard == ["data:,x", "changed"]


def test_what_the_page_is_doing_can_be_asked(page):
    states = page.evaluate("""async () => {
      const { isBusy, isLive, setPhase } = await import('/bus.js');
      const states = ['empty', 'wait', 'run', 'done'].map((phase) => { setPhase(phase); return isBusy(); });
      const before = isLive();
      document.body.dataset.live = 'on';
      return [...states, before, isLive()];
    }""")
    assert states == [False, True, True, False, False, True]


# ---- loading


def test_a_component_can_only_name_a_module_that_is_there():
    script = js_on_load("canvas/main.js", ["stroke"])
    assert json.dumps("stroke") in script
    with pytest.raises(ValueError, match=r"canvas\.js"):
        js_on_load("canvas.js")


def test_every_module_imports_only_what_is_there(page):
    names = page.evaluate(
        "async (paths) => Promise.all(paths.map(async (p) => Object.keys(await import('/' + p)).length))",
        list(MODULES),
    )
    assert len(names) == len(MODULES)


def test_the_scripts_load_in_a_frame_of_another_site_and_below_a_prefix(browser, canvas):
    page = browser.new_page()
    page.goto(canvas.url.replace("127.0.0.1", "localhost") + "robots.txt")  # to a browser, another site
    page.set_content(f"<iframe src='{canvas.url}' width=900 height=900></iframe>")
    page.frame_locator("iframe").locator(CANVAS_READY).wait_for()

    def forward(route):  # as a proxy does that gives the page a folder of its site
        path = route.request.url.removeprefix("http://site.test/doodle/")
        route.fulfill(response=route.fetch(url=canvas.url + path))

    page.route("http://site.test/doodle/**", forward)
    page.goto("http://site.test/doodle/")
    page.wait_for_selector(CANVAS_READY)
    page.close()

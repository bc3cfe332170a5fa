"""Several checkpoints on one page: subjects, styles and resolution follow the model that is picked."""

from __future__ import annotations

import pytest

from conftest import tiny_checkpoint
from diffusion import save_checkpoint
from diffusion.page import app
from diffusion.page.session import OTHER_MODEL

from .actions import CANVAS_READY, PATIENCE, count_phases, draw_circle, wait_for

CLASSES = {"class": ["airplane", "cat", "ship"]}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    save_checkpoint(folder / "drawings.safetensors", tiny_checkpoint())
    save_checkpoint(folder / "photos.safetensors", tiny_checkpoint(CLASSES, [], image_size=8))
    demo = app.build(folder)
    _, url, _ = app.launch(demo, prevent_thread_lock=True, quiet=True)
    yield url
    demo.close()


@pytest.fixture
def page(browser, url):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector(CANVAS_READY)
    yield page
    context.close()


def pick(page, model: str) -> None:
    page.click("#picker input")
    page.get_by_role("option", name=model).click()


def frame_side(page) -> int:
    """Pixels of the last frame the model made."""
    page.click(".strip canvas >> nth=0")  # the result itself is enlarged
    return page.evaluate("""async () => {
      const sides = [];
      const draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
        sides.push(image.naturalHeight);
        return draw.call(this, image, ...rest);
      };
      document.querySelector('.scrub').dispatchEvent(new Event('input'));
      while (!sides.length) await new Promise(requestAnimationFrame);
      CanvasRenderingContext2D.prototype.drawImage = draw;
      return Math.min(...sides);
    }""")


def test_the_page_follows_the_model(page):
    draw_circle(page)
    page.click("#generate")
    wait_for(page, "done")
    assert frame_side(page) == 16
    assert page.is_visible("#label-1")

    pick(page, "photos")
    page.wait_for_selector("#label-1", state="hidden")
    assert page.input_value("#label-0 input") == "Airplane"
    page.click("#label-0 input")
    offered = page.locator("#label-0 [role=option]").all_inner_texts()
    assert [name.strip("✓\n ") for name in offered] == ["Airplane", "Cat", "Ship"]
    page.get_by_role("option", name="Ship").click()
    count_phases(page)  # a run this quick may be over before anybody asks whether it runs
    page.click("#generate")
    page.wait_for_function("phases.at(-1) == 'done'")
    assert frame_side(page) == 8

    page.locator(".scrub").fill("3")
    pick(page, "drawings")
    page.wait_for_selector("#label-1", state="visible")
    assert page.input_value("#label-0 input") == "Apple"
    page.click("[data-do=resume]")
    page.get_by_text(OTHER_MODEL).first.wait_for()
    assert page.is_enabled("[data-do=reuse]"), "the result is still there"
    assert page.locator(".toast-body").count() == 1, "nothing else went wrong"


def test_the_lesson_follows_the_model(page):
    pick(page, "drawings")
    page.wait_for_selector("#label-1")
    page.get_by_role("tab", name="How it works").click()
    page.wait_for_selector("#step img")
    sides = "() => [...document.querySelectorAll('#step img')].map((image) => image.naturalWidth).join()"
    page.wait_for_function(f"({sides})() == '16,16,16,16'")
    pick(page, "photos")
    page.wait_for_function(f"({sides})() == '8,8,8,8'")
    assert "8 x 8 pixels" in page.inner_text("#how")
    page.wait_for_function("document.querySelector('#dials .note').innerText.startsWith('Airplane;')")

"""Several checkpoints on one page: subjects, styles and resolution follow the model that is picked."""

from __future__ import annotations

import pytest
from PIL import Image

from conftest import tiny_checkpoint
from diffusion import NoiseSchedule, save_checkpoint
from diffusion.classifier import Classifier, ClassifierNet, save_classifier
from diffusion.page import app
from diffusion.page.session import OTHER_MODEL
from diffusion.unet import UNetConfig
from diffusion.upscaler import Upscaled, Upscaler, UpscalerConfig, save_upscaler

from .actions import CANVAS_READY, PATIENCE, at, count_phases, draw_circle, pick, wait_for

CLASSES = {"class": ["airplane", "cat", "ship"]}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    save_checkpoint(folder / "drawings.safetensors", tiny_checkpoint())
    save_checkpoint(folder / "photos.safetensors", tiny_checkpoint(CLASSES, [], image_size=8))
    upscaler = Upscaled(Upscaler(UpscalerConfig(channels=8, convolutions=2)), 16)
    save_upscaler(folder / "upscaler" / "upscaler-16.safetensors", upscaler)
    shape = UNetConfig(16, 2, (32,), 1, (False,), label_sizes=(4, 3))
    guide = Classifier(ClassifierNet(shape).eval(), NoiseSchedule(), tiny_checkpoint().label_names)
    save_classifier(folder / "guide" / "guide-16.safetensors", guide)
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
    page.locator("#advanced button").first.click()
    steering = page.get_by_label("number input for Steering")
    steering.wait_for()

    pick(page, "photos")
    page.wait_for_selector("#label-1", state="hidden")
    steering.wait_for(state="hidden")  # it has other labels than the guide
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
    page.get_by_role("tab", name="Draw").click()
    pick(page, "photos")
    page.get_by_role("tab", name="How it works").click()
    page.wait_for_function(f"({sides})() == '8,8,8,8'")
    assert "8 x 8 pixels" in page.inner_text("#how")
    page.wait_for_function("document.querySelector('#dials .note').innerText.startsWith('Airplane;')")


FADED = "() => getComputedStyle(document.querySelector('#labels')).opacity"  # where words do not count


def test_a_picture_is_enlarged_where_the_model_can(page, tmp_path):
    def strength():
        return page.get_by_label("number input for Strength").input_value()

    def saved(button: str):
        with page.expect_download() as download:
            page.click(f"[data-do={button}]")
        return download.value.suggested_filename, Image.open(download.value.path()).size

    Image.new("RGB", (40, 24), (30, 90, 160)).save(tmp_path / "small.png")
    page.set_input_files("#canvas input[type=file]", tmp_path / "small.png")
    page.wait_for_selector(".paper:not(.blank)")
    page.check("#enlarge input")
    page.wait_for_function(f"({FADED})() == '0.4'")
    assert strength() == "0"
    page.click("#generate")
    page.wait_for_function("document.querySelector('.say').textContent.startsWith('Enlarged in')")
    wait_for(page, "done")
    colours = page.evaluate("""() => {
      const pen = document.querySelector('canvas.clean').getContext('2d');
      return [[256, 20], [256, 256], [4, 110]].map(([x, y]) => [...pen.getImageData(x, y, 1, 1).data]);
    }""")
    assert colours[0] == [255, 255, 255, 255], "above it is paper"
    for colour in colours[1:]:
        assert colour[:3] == pytest.approx([30, 90, 160], abs=2), "and no rim at its edge"
    assert saved("png") == ("enlarged-7.png", (512, 307))
    assert saved("large") == ("enlarged-7-large.png", (1024, 614))

    page.click("[data-tool=brush]")
    page.mouse.click(*at(page, 0.5, 0.05))
    page.click("#generate")
    page.wait_for_function(
        "!document.querySelector('canvas.clean').getContext('2d')"
        ".getImageData(256, 26, 1, 1).data.slice(0, 3).every((value) => value > 250)"
    )
    assert saved("png")[1] == (512, 512), "drawn on, it is all that is on the canvas"

    pick(page, "photos")
    page.wait_for_selector("#enlarge", state="hidden")
    assert page.evaluate(FADED) == "1"
    page.click("#generate")
    page.wait_for_function("document.querySelector('.say').textContent.startsWith('Strength 0')")

"""The page as a person meets it: a real Chromium draws with the mouse, presses buttons and looks."""

from __future__ import annotations

import gradio_client
from gradio_client.utils import Status
from PIL import Image

from conftest import apple_drawing
from diffusion.page.line import LINE
from diffusion.page.worker import TOGETHER

from .actions import (
    DRAWING,
    INK,
    RESULT,
    at,
    choose_subject,
    count_frames,
    draw_circle,
    ink,
    paint,
    say,
    set_slider,
    wait_for,
)


def test_a_drawing_becomes_a_picture_before_your_eyes(page, server, tmp_path):
    server.delay = 0.05
    set_slider(page, "Strength", 0.6)
    set_slider(page, "Steps", 20)
    choose_subject(page, "Apple")
    draw_circle(page)
    assert ink(page) > 0.01
    page.evaluate("""() => {
      window.said = [];
      new MutationObserver(() => said.push(document.querySelector('.say').textContent))
        .observe(document.querySelector('.say'), {childList: true, characterData: true, subtree: true});
    }""")
    paint(page, 11)
    said = page.evaluate("window.said")
    assert sum(line.startswith("Step ") for line in said) >= 3, said
    assert "12 steps in" in say(page)  # strength 0.6 of 20
    assert count_frames(page) == 12
    page.wait_for_function(f"({INK})('{RESULT}') > 0.05")

    page.locator(".scrub").fill("3")
    assert say(page) == "Step 4 of 12"
    page.check(".noise-switch input")
    assert page.is_visible("#view canvas.noisy") and ink(page, "#view canvas.noisy") > 0.05

    for action, ending, side in [("png", ".png", 512), ("large", "-large.png", 1024), ("gif", ".gif", 320)]:
        with page.expect_download() as download:
            page.click(f"[data-do={action}]")
        assert download.value.suggested_filename == f"apple-photo-11{ending}"
        download.value.save_as(tmp_path / f"saved{ending}")
        assert Image.open(tmp_path / f"saved{ending}").size == (side, side)

    before = ink(page)
    page.click("[data-do=reuse]")
    page.wait_for_function(f"Math.abs(({INK})('{DRAWING}') - {before}) > 0.01")


def test_stop_ends_a_run_early_and_keeps_what_is_there(page, server):
    set_slider(page, "Strength", 1)
    set_slider(page, "Steps", 50)
    draw_circle(page)
    server.delay = 0.25  # 12 s in all
    page.click("#generate")
    wait_for(page, "run")
    page.click("#stop")
    wait_for(page, "done")
    page.wait_for_function("document.querySelector('.say').textContent.startsWith('Stopped after ')")
    assert count_frames(page) < 40
    assert ink(page, RESULT) > 0.05


def test_generate_gives_up_the_run_that_is_going_on(page, server):
    set_slider(page, "Strength", 1)
    set_slider(page, "Steps", 50)
    draw_circle(page)
    server.delay = 0.25
    page.click("#generate")
    wait_for(page, "run")
    set_slider(page, "Steps", 5)
    page.click("#generate")
    server.delay = 0.05
    page.wait_for_function("document.querySelector('.say').textContent.startsWith('5 steps')")
    # One run at a time, and their news come in order: what the first had to say was said before.
    assert count_frames(page) == 5 and say(page).startswith("5 steps")


def test_an_empty_canvas_gets_a_hint_and_a_picture(page):
    set_slider(page, "Steps", 8)
    set_slider(page, "Strength", 0.3)
    paint(page, 12)
    assert say(page).startswith("Pure imagination: 8 steps"), "strength 1, whatever the slider says"
    assert page.get_by_text("Your canvas was empty").first.is_visible()


def test_undo_redo_clear_and_fill(page):
    draw_circle(page)
    outline = ink(page)
    page.click("[data-do=undo]")
    assert ink(page) == 0 and page.is_visible(".paper .hint")
    page.click("[data-do=redo]")
    assert ink(page) == outline and not page.is_visible(".paper .hint")
    page.click("[data-tool=fill]")
    page.click("[data-paint='#2a66d9']")
    page.mouse.click(*at(page, 0.5, 0.5))
    assert 0.25 < ink(page) < 0.35, "the area of the circle"
    page.click("[data-tool=eraser]")
    page.mouse.move(*at(page, 0.1, 0.5))
    page.mouse.down()
    page.mouse.move(*at(page, 0.9, 0.5), steps=5)
    page.mouse.up()
    assert outline < ink(page) < 0.3
    page.click("[data-do=clear]")
    assert ink(page) == 0
    page.keyboard.press("Control+z")
    assert ink(page) > outline


def test_pictures_come_in_by_upload_paste_and_drop(page, tmp_path):
    apple_drawing(200).save(tmp_path / "apple.png")
    page.set_input_files("#canvas input[type=file]", tmp_path / "apple.png")
    page.wait_for_function(f"({INK})('{DRAWING}') > 0.1")

    for event, carrier, target in [
        ("ClipboardEvent('paste'", "clipboardData", "document"),
        ("DragEvent('drop'", "dataTransfer", "document.querySelector('.paper')"),
    ]:
        page.click("[data-do=clear]")
        page.evaluate(f"""async () => {{
          const canvas = new OffscreenCanvas(50, 50);
          canvas.getContext('2d').fillRect(10, 10, 30, 30);
          const data = new DataTransfer();
          data.items.add(new File([await canvas.convertToBlob()], 'square.png', {{type: 'image/png'}}));
          {target}.dispatchEvent(new {event}, {{{carrier}: data, bubbles: true, cancelable: true}}));
        }}""")
        page.wait_for_function(f"({INK})('{DRAWING}') > 0.3")

    (tmp_path / "no.png").write_bytes(b"no picture")
    before = ink(page)
    page.set_input_files("#canvas input[type=file]", tmp_path / "no.png")
    page.wait_for_selector(".note:not(:empty)")
    assert ink(page) == before


def styles(page) -> list[str]:
    return page.locator("#label-1 label").all_inner_texts()


def test_the_styles_follow_the_subject(page):
    choose_subject(page, "Apple")
    page.wait_for_function("document.querySelectorAll('#label-1 label').length == 3")
    assert styles(page) == ["Photo", "Rounded", "3D"]
    choose_subject(page, "Pear")
    page.wait_for_function("document.querySelectorAll('#label-1 label').length == 1")
    assert styles(page) == ["Photo"]
    paint(page, 13)


def test_an_example_sets_the_canvas_and_the_subject(page):
    page.click("#examples button[data-subject=cat]")
    page.wait_for_function(f"({INK})('{DRAWING}') > 0.05")
    page.wait_for_function("document.querySelector('#label-0 input').value == 'Cat'")
    page.wait_for_function("document.querySelectorAll('#label-1 label').length == 2")


def test_a_phone_has_everything_within_its_width(open_page):
    size = {"width": 390, "height": 844}
    page = open_page(viewport=size, device_scale_factor=2, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    outside = """() => [...document.querySelectorAll('button, input, canvas')]
      .filter((part) => !part.closest('.examples') && part.getBoundingClientRect().right > 390)
      .map((part) => part.outerHTML)"""
    assert page.evaluate(outside) == []
    page.touchscreen.tap(*at(page, 0.5, 0.5))
    assert ink(page) > 0
    page.tap("#generate")
    wait_for(page, "done")
    page.wait_for_function("""() => {
      const rect = document.querySelector('#view canvas').getBoundingClientRect();
      return rect.top > -50 && rect.bottom < innerHeight + 50;
    }""")


def test_an_example_on_a_blank_canvas_is_painted_at_once(page):
    page.click("#examples [data-subject=cat]")
    page.wait_for_function("document.body.dataset.doodle == 'run'")
    wait_for(page, "done")
    assert page.input_value("#label-0 input") == "Cat" and ink(page) > 0.05
    page.click("#examples [data-subject=apple]")
    page.wait_for_function("document.querySelector('#label-0 input').value == 'Apple'")
    page.wait_for_timeout(500)
    assert page.get_attribute("body", "data-doodle") == "done", "on another drawing one is asked first"


def test_a_surprise_is_an_example_in_some_look_with_some_seed(page):
    seed = page.input_value("#seed input")
    page.click(".surprise")
    page.wait_for_function(f"document.querySelector('#seed input').value != '{seed}'")
    now = page.input_value("#seed input")
    page.wait_for_function(f"document.querySelector('.say').textContent.includes('seed {now}.')")
    assert page.input_value("#label-0 input") in ("Apple", "Cat") and ink(page) > 0.05


def test_who_waits_for_others_hears_their_place_in_the_line(page, server, monkeypatch):
    """Programs take all places; of them the line knows nothing, so it is told that there are none."""
    monkeypatch.setattr(LINE, "together", 0)
    monkeypatch.setattr(LINE, "_waiting", [])  # an earlier test's tab may have gone before its turn came
    server.gate.clear()  # else they might be over before their client hears that they began
    client = gradio_client.Client(server.url, verbose=False)
    jobs = [client.submit(subject="apple", api_name="/generate") for _ in range(TOGETHER)]
    while not all(job.status().code is Status.PROCESSING for job in jobs):
        page.wait_for_timeout(50)
    page.click("#generate")
    page.wait_for_function(
        r"/^First in line, about \d+ seconds?\.$/.test(document.querySelector('.say').textContent)"
    )
    assert page.get_attribute(".say", "aria-live") == "polite"
    server.gate.set()
    wait_for(page, "done")

"""What a person does on the page, and sees of it."""

from __future__ import annotations

import math

PATIENCE = 30_000  # milliseconds; a busy machine is slow, and a page that never answers still fails

INK = """selector => {
  const canvas = document.querySelector(selector);
  if (!canvas) return NaN;  // a page that was reloaded has none yet
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let ink = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    if (Math.min(pixels[i], pixels[i + 1], pixels[i + 2]) < 230 && pixels[i + 3]) ink++;
  }
  return ink / (pixels.length / 4);
}"""
CANVAS_READY = ".doodle [data-do=undo]:disabled"  # the markup alone has it enabled
DRAWING, RESULT = "#canvas canvas.paint", "#view canvas.clean"


def at(page, x: float, y: float) -> tuple[float, float]:
    """A place on the canvas, in shares of its side -> page coordinates."""
    canvas = page.locator(DRAWING)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def draw_circle(page) -> None:
    angles = [a / 8 * math.pi for a in range(17)]
    points = [(0.5 + 0.3 * math.cos(a), 0.5 + 0.3 * math.sin(a)) for a in angles]
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=2)
    page.mouse.up()


def ink(page, selector: str = DRAWING) -> float:
    return page.evaluate(INK, selector)


def wait_for(page, phase: str) -> None:
    page.wait_for_selector(f".result[data-phase={phase}]")


def say(page) -> str:
    return page.inner_text(".say")


def set_slider(page, name: str, value: float) -> None:
    number = page.get_by_label(f"number input for {name}")
    number.fill(str(value))
    number.press("Tab")


def choose_subject(page, name: str) -> None:
    page.click("#label-0 input")
    page.get_by_role("option", name=name).click()


def paint(page, seed: int) -> None:
    """Press Generate and wait for the result; the seed in its small print tells it from earlier ones."""
    number = page.locator("#seed input")
    number.fill(str(seed))
    number.press("Tab")
    page.click("#generate")
    page.wait_for_function(f"document.querySelector('.say').textContent.includes('seed {seed}.')")


def count_frames(page) -> int:
    return int(page.get_attribute(".scrub", "max")) + 1


def dot(page, x: float, y: float) -> None:
    page.mouse.click(*at(page, x, y))


def draw_line(page, *points: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=4)
    page.mouse.up()


def count_phases(page) -> None:
    """From now on `phases(page)` tells what the result has been doing."""
    page.evaluate("""() => {
      window.watching?.disconnect();
      window.phases = [];
      window.watching = new MutationObserver(() => {
        const phase = document.body.dataset.doodle;
        if (phase !== phases.at(-1)) phases.push(phase);
      });
      watching.observe(document.body, {attributeFilter: ['data-doodle']});
    }""")


def phases(page) -> list[str]:
    return page.evaluate("phases")


def pick(page, model: str) -> None:
    if page.is_hidden("#picker"):
        page.locator("#advanced button").first.click()
    page.click("#picker input")
    page.get_by_role("option", name=model).click()

"""How much longer a run takes through the page than in a bare loop: `python -m tests.page_overhead`.

A server, a real Chromium on the same machine, one drawing. Loop, page, and a program that asks without a
browser take turns with the same settings; what counts are the ratios of their medians. A browser that paints
takes much of a core from the model: visitors bring their own. All compute in the model's thread, since a
second thread that computes would slow down the two of them. It also counts the frames that were made and
those that were seen.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from diffusion.images import load
from diffusion.page import app, choices
from diffusion.page.canvas_io import data_url
from diffusion.page.drawing import read_drawing
from diffusion.page.session import paint
from diffusion.page.settings import DEFAULTS, Settings
from diffusion.page.worker import in_model_thread
from diffusion.sampler import only_steps
from tests.browser.actions import CANVAS_READY
from tests.browser.conftest import CHROMIUM, QUIET
from tests.load import Visitor

WATCH = """() => {
  window.seen = new Set();
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
    if (this.canvas.matches('.clean')) window.seen.add(image.src);
    return draw.call(this, image, ...rest);
  };
}"""
RUN = """() => new Promise((resolve) => {
  window.seen.clear();
  const began = performance.now();
  let begun = false;
  const observer = new MutationObserver(() => {
    const phase = document.body.dataset.doodle;
    begun ||= phase === 'run';
    if (!begun || phase !== 'done') return;
    observer.disconnect();
    const ms = performance.now() - began;
    setTimeout(() => resolve([ms, window.seen.size]), 500);
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ['data-doodle'] });
  document.querySelector('#generate').click();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--strength", type=float, default=0.6)
    parser.add_argument("--steps", type=int, default=DEFAULTS.steps)
    args = parser.parse_args()

    demo = app.build()
    _, url, _ = app.launch(demo, prevent_thread_lock=True, quiet=True)
    bare, asked = ways(url, args.strength, args.steps)
    through, alone, without, frames = [], [], [], []
    with opened(url, args.strength, args.steps) as page:
        for _ in range(args.repeat + 1):
            without.append(asked())
            ms, made = bare()
            alone.append(ms)
            ms, seen = page.evaluate(RUN)
            through.append(ms)
            frames.append((made, seen))
    # The first of each is a warm-up.
    loop, whole, program = (statistics.median(each[1:]) for each in (alone, through, without))
    print(f"bare loop   {loop:6.0f} ms for {frames[-1][0]} steps")
    print(f"through the page {whole:6.0f} ms, {whole / loop:.2f} x; frames made and seen: {frames[1:]}")
    print(f"for a program    {program:6.0f} ms, {program / loop:.2f} x")
    demo.close()


@contextlib.contextmanager
def opened(url: str, strength: float, steps: int) -> Iterator[Page]:
    """The page in a browser, with an example on the canvas and these settings."""
    with sync_playwright() as playwright:
        found = next((path for path in CHROMIUM if Path(path).exists()), None)
        page = playwright.chromium.launch(executable_path=found, args=QUIET).new_page()
        page.goto(url)
        page.wait_for_selector(CANVAS_READY)
        page.click("#examples [data-subject]")
        page.wait_for_selector(".paper:not(.blank)")
        page.locator("#advanced button").first.click()
        for name, value in (("Strength", strength), ("Steps", steps)):
            number = page.get_by_label(f"number input for {name}")
            number.fill(str(value))
            number.press("Tab")
        page.evaluate(WATCH)
        yield page


def ways(
    url: str, strength: float, steps: int
) -> tuple[Callable[[], tuple[float, int]], Callable[[], float]]:
    """The same picture in a bare loop (milliseconds, steps), and by a program that asks (milliseconds)."""
    model, ckpt = next(iter(choices.find_checkpoints(app.CHECKPOINTS)[0].items()))
    picture = next(iter(choices.example_drawings(ckpt)))
    labels = choices.settled_labels(ckpt, [picture["subject"], *choices.FIRST[1:]])
    settings = Settings(model, labels, strength, steps)
    file = choices.DRAWINGS / picture["file"]
    drawing = read_drawing({"picture": data_url(load(file)), "keep": ""}, ckpt, settings)
    visitor = Visitor(url.rstrip("/"))

    def bare() -> tuple[float, int]:
        began = time.perf_counter()
        made = in_model_thread(list, only_steps(paint(ckpt, drawing, settings)))
        return (time.perf_counter() - began) * 1000, len(made)

    def asked() -> float:
        began = time.perf_counter()
        visitor.hear(visitor.ask("generate", picture=file, **labels, strength=strength, steps=steps))
        return (time.perf_counter() - began) * 1000

    return bare, asked


if __name__ == "__main__":
    main()

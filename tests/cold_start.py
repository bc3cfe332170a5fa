"""Seconds from opening the page to a picture of a drawing: `python -m tests.cold_start`.

A server with the shipped checkpoints is up; a new Chromium opens the page, and a mouse draws along the lines
of one of the project's own drawings by hand, as fast as a quick person would. Nothing is typed. The target is
15 s on a quiet machine, so it says how busy the machine was.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from diffusion import images
from diffusion.page import app
from tests.browser.actions import CANVAS_READY, DRAWING, at
from tests.browser.conftest import CHROMIUM, QUIET

HANDS = Path(__file__).parents[1] / "assets" / "drawings" / "hands"
SPEED = 1.5  # canvas sides a second
EVENTS = 60  # of the mouse a second
PATIENCE = 120_000  # milliseconds: a machine may be very busy
LEAST = 0.04  # of the side: shorter marks are dots


def strokes(drawing: Path) -> list[np.ndarray]:
    """The lines of a drawing: the edges of its ink, each once around, (N, 2) in shares of the side."""
    ink = images.is_ink(images.load(drawing)).astype(np.uint8)
    outlines, _ = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_TC89_KCOS)
    lines = [outline[:, 0] / max(ink.shape) for outline in outlines if len(outline) > 2]
    return [np.vstack([line, line[:1]]) for line in lines if np.ptp(line, axis=0).max() > LEAST]


def draw(page: Page, line: np.ndarray) -> None:
    """One stroke, (N, 2) in coordinates of the page, with real mouse events, in the time that it takes."""
    side, began, events = page.locator(DRAWING).bounding_box()["width"], time.perf_counter(), 0
    page.mouse.move(*line[0])
    page.mouse.down()
    for before, after in zip(line, line[1:]):
        count = max(1, math.ceil(math.dist(before, after) / side / SPEED * EVENTS))
        for k in range(1, count + 1):
            page.mouse.move(*(before + (after - before) * k / count))
            events += 1
            time.sleep(max(0.0, began + events / EVENTS - time.perf_counter()))
    page.mouse.up()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawing", default="turtle-pen-1", help="one of assets/drawings/hands")
    parser.add_argument("--save", help="a picture of the page at the end")
    args = parser.parse_args()
    _, url, _ = app.launch(demo := app.build(), prevent_thread_lock=True, quiet=True)
    lines = strokes(HANDS / f"{args.drawing}.png")
    found = next((path for path in CHROMIUM if Path(path).exists()), None)
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=found, args=QUIET).new_page(
            viewport={"width": 1440, "height": 900}
        )
        page.set_default_timeout(PATIENCE)
        load, begun = os.getloadavg()[0], time.perf_counter()
        page.goto(url)
        page.wait_for_selector(CANVAS_READY)
        opened = time.perf_counter()
        page.click("[data-paint='#22252b']")
        page.click("[data-width='5']")
        corners = np.array([at(page, 0, 0), at(page, 1, 1)])
        for line in lines:
            draw(page, corners[0] + line * (corners[1] - corners[0]))
        drawn = time.perf_counter()
        page.click("#generate")
        page.wait_for_selector(".result[data-phase=done]")
        done = time.perf_counter()
        print(f"{args.drawing}: {len(lines)} strokes, taken for {page.input_value('#label-0 input')!r}")
        print(f"open {opened - begun:.1f} s, drawn {drawn - opened:.1f} s, painted {done - drawn:.1f} s")
        print(f"page open to picture {done - begun:.1f} s; load {load:.1f} on {os.cpu_count()} cores")
        if args.save:
            page.wait_for_timeout(500)
            page.screenshot(path=args.save)
    demo.close()


if __name__ == "__main__":
    main()

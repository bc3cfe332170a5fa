"""Pictures of the page for the README: desktop and phone, light and dark, and a film of a drawing.

    python -m assets.page_pictures

Opens the page of this folder with its checkpoints in Chromium (`pip install playwright`), draws with the
mouse, and writes app*.png and app.gif beside this file. What the model makes of it is what it makes of it:
the seed is the page's own.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import time
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from diffusion.page import app

HERE = Path(__file__).parent
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
NARROW = {"viewport": {"width": 1040, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True,
}  # fmt: skip
FRAME_MS = 125
WIDTH, SECONDS = 720, 10  # of the film

BODY = [(49, 31), (56, 26), (68, 24), (80, 32), (84, 48), (79, 68), (70, 84), (60, 88), (50, 85), (41, 88),
        (31, 84), (21, 68), (16, 48), (20, 32), (32, 24), (43, 26), (49, 31)]  # fmt: skip
STEM = [(50, 31), (51, 22), (56, 13)]
LEAF = [(56, 21), (64, 12), (78, 12), (70, 21), (57, 22)]
SHINE = [(27, 42), (25, 50), (27, 57)]


class Hand:
    """Draws on the page with the mouse, as fast as a person would; `watch` is called all along the way."""

    def __init__(self, page: Page, watch=lambda: None) -> None:
        self.page, self.watch = page, watch
        self.box = page.locator("#canvas canvas").first.bounding_box()

    def place(self, x: float, y: float) -> tuple[float, float]:
        return self.box["x"] + x / 100 * self.box["width"], self.box["y"] + y / 100 * self.box["height"]

    def stroke(self, points: list[tuple[float, float]], colour: str, width: str) -> None:
        self.page.click(f"[aria-label='{width} brush']")
        self.page.click(f"[data-paint][aria-label='{colour}'] >> nth=0")
        self.page.mouse.move(*self.place(*points[0]))
        self.page.mouse.down()
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            for part in range(1, 1 + math.ceil(math.dist((x0, y0), (x1, y1)) / 6)):
                share = part / math.ceil(math.dist((x0, y0), (x1, y1)) / 6)
                self.page.mouse.move(*self.place(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share))
                self.watch()
        self.page.mouse.up()

    def fill(self, x: float, y: float, colour: str) -> None:
        self.page.click("[data-tool=fill]")
        self.page.click(f"[data-paint][aria-label='{colour}'] >> nth=0")
        self.page.mouse.click(*self.place(x, y))
        self.watch()

    def apple(self) -> None:
        self.stroke(BODY, "Red", "Thick")
        self.fill(50, 55, "Red")
        self.stroke(STEM, "Brown", "Medium")
        self.stroke(LEAF, "Green", "Medium")
        self.fill(67, 17, "Green")
        self.stroke(SHINE, "White", "Medium")


def open_page(browser: Browser, url: str, dark: bool = False, **device) -> Page:
    page = browser.new_context(**device).new_page()
    page.goto(url + ("?__theme=dark" if dark else "?__theme=light"))
    page.wait_for_selector(".doodle [data-do=undo]:disabled")
    page.wait_for_timeout(500)
    return page


def wait(page: Page) -> None:
    page.wait_for_function("document.body.dataset.doodle == 'done'")
    page.wait_for_timeout(1000)


def still(browser: Browser, url: str, name: str, dark: bool, device: dict) -> None:
    page = open_page(browser, url, dark, **device)
    Hand(page).apple()
    page.click("#generate")
    wait(page)
    page.screenshot(path=HERE / name)
    page.context.close()


def film(browser: Browser, url: str, path: Path) -> None:
    """An apple is drawn with Live on, then its style changes twice; sped up to ten seconds."""
    page = open_page(browser, url, **DESKTOP)
    area = page.locator("#workspace").bounding_box()
    frames: list[tuple[float, bytes]] = []

    def watch(seconds: float = 0) -> None:
        end = time.monotonic() + seconds
        while True:
            if not frames or time.monotonic() - frames[-1][0] > FRAME_MS / 1000:
                frames.append((time.monotonic(), page.screenshot(clip=area, type="jpeg", quality=90)))
            if time.monotonic() >= end:
                return
            page.wait_for_timeout(20)

    page.check("#live input")
    watch(0.3)
    Hand(page, watch).apple()
    watch(2)
    for style in ("3D", "Soft"):
        page.get_by_text(style, exact=True).click()
        watch(2)
    page.context.close()
    pictures = [Image.open(io.BytesIO(data)) for _, data in frames]
    height = round(pictures[0].height * WIDTH / pictures[0].width)
    small = [picture.resize((WIDTH, height), Image.Resampling.LANCZOS) for picture in pictures]
    # One palette for all, from frames of every part: the background stays still, and small colours survive.
    mosaic = Image.new("RGB", (WIDTH, 6 * height))
    for i in range(6):
        mosaic.paste(small[(len(small) - 1) * (i + 1) // 6], (0, i * height))
    palette = mosaic.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1)
    small = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in small]
    times = [t for t, _ in frames] + [frames[-1][0] + 1.5]
    haste = max(1.0, (times[-1] - times[0]) / SECONDS)
    durations = [max(20, round((b - a) * 1000 / haste)) for a, b in zip(times, times[1:])]
    small[0].save(path, save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)
    print(
        f"{path.name}: {len(small)} frames, {sum(durations) / 1000:.1f} s, {path.stat().st_size / 1e6:.1f} MB"
    )


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    _, url, _ = app.launch(demo := app.build(), prevent_thread_lock=True, quiet=True)
    chromium = next((p for p in ("/usr/bin/chromium", "/usr/bin/google-chrome") if Path(p).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, dark, device in (
            ("app.png", False, DESKTOP), ("app-dark.png", True, DESKTOP), ("app-1040.png", False, NARROW),
            ("app-phone.png", False, PHONE), ("app-phone-dark.png", True, PHONE),
        ):  # fmt: skip
            still(browser, url, name, dark, device)
        film(browser, url, HERE / "app.gif")
        browser.close()
    demo.close()


if __name__ == "__main__":
    main()

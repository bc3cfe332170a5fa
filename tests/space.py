"""What .ci/space looks at: a page on small means, drawn in with a mouse. Exit status 1 if anything is amiss.

    python -m tests.space FOLDER    (.ci/space starts it, in a network of its own)

Writes page.png and page.log into the folder, and prints how long things took and what was found.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from assets.page_pictures import DESKTOP, Hand
from tests.browser.actions import CANVAS_READY, RESULT, ink, say
from tests.browser.conftest import CHROMIUM, QUIET

ROOT = Path(__file__).parents[1]
URL = "http://127.0.0.1:7860/"
PATIENCE = 180.0  # seconds; two busy cores are slow
MEGABYTES, UPLOADS = 9, 10  # of a file, and so many of them: more than /tmp holds
# All that a page without trouble writes: its address, and a line of JSON for each run.
KNOWN = re.compile(r"space: without .*|\* .*http.*|\* To create.*|.*MCP server.*|{\"event\": \"run\".*|\s*")


class Rehearsal:
    """The page, its log, and what was found amiss."""

    def __init__(self, folder: Path) -> None:
        self.log, self.home = folder / "page.log", folder / "home"
        self.amiss: list[str] = []
        self.began = time.monotonic()
        with self.log.open("wb") as out:
            self.page = subprocess.Popen(
                ["unshare", "--mount", ROOT / ".ci" / "space", "--page", folder],
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def check(self, well: bool, otherwise: str) -> None:
        if not well:
            self.amiss.append(otherwise)

    def tmp_megabytes(self) -> tuple[float, float]:
        """Used and total, of the page's own /tmp."""
        usage = shutil.disk_usage(f"/proc/{self.page.pid}/root/tmp")
        return usage.used / 1e6, usage.total / 1e6

    def memory_megabytes(self) -> float:
        """The most that it had at once."""
        status = Path(f"/proc/{self.page.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000

    def health(self) -> dict:
        return httpx.get(f"{URL}health", timeout=30).json()

    def wait(self) -> float:
        """Until it is there -> seconds."""
        while time.monotonic() - self.began < PATIENCE:
            if self.page.poll() is not None:
                break
            try:
                self.health()
                return time.monotonic() - self.began
            except (httpx.HTTPError, json.JSONDecodeError):
                time.sleep(0.2)
        sys.exit(f"The page did not start:\n{self.log.read_text()}")

    def end(self) -> None:
        """As a container is stopped, and then a look at what it has left."""
        self.page.terminate()
        try:
            self.page.wait(30)
        except subprocess.TimeoutExpired:
            self.amiss.append("it does not end when it is told to")
            self.page.kill()
        for line in self.log.read_text().splitlines():
            self.check(KNOWN.fullmatch(line) is not None, f"the log has: {line}")
        for path in self.home.rglob("*"):
            self.amiss.append(f"it left {path.relative_to(self.home)} in the home of its user")


def asked_outside() -> int:
    """How often anybody here tried to reach what lo does not lead to."""
    names, counts = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2])
    six = Path("/proc/net/snmp6").read_text() if Path("/proc/net/snmp6").exists() else "Ip6OutNoRoutes 0"
    return int(counts[names.index("OutNoRoutes")]) + int(re.findall(r"Ip6OutNoRoutes\s+(\d+)", six)[0])


@contextmanager
def opened(rehearsal: Rehearsal) -> Iterator[Page]:
    """The page in a Chromium that knows no other host."""
    with sync_playwright() as playwright:
        found = next((path for path in CHROMIUM if Path(path).exists()), None)
        only = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=found, args=[*QUIET, only])
        page = browser.new_page(**DESKTOP)
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: rehearsal.amiss.append(f"a script fails: {error}"))
        foreign = ("data:", "blob:", URL)
        page.on("request", lambda asked: rehearsal.check(asked.url.startswith(foreign), f"asks {asked.url}"))
        page.goto(URL)
        page.wait_for_selector(CANVAS_READY)
        page.wait_for_selector(".result[data-phase=empty]")
        yield page
        browser.close()


def by_program() -> str:
    """What comes of a call without a browser."""
    url = f"{URL}gradio_api/call"
    event = httpx.post(f"{url}/v2/generate", json={}, timeout=60).json()["event_id"]
    return httpx.get(f"{url}/generate/{event}", timeout=PATIENCE).text


def generate(page: Page) -> float:
    """Press the button -> seconds until the last picture is there."""
    began = time.monotonic()
    page.click("#generate")
    page.wait_for_selector(".result[data-phase=run]")
    page.wait_for_selector(".result:not([data-phase=run]):not([data-phase=wait])")
    assert page.get_attribute(".result", "data-phase") == "done", say(page)
    return time.monotonic() - began


def saved(page: Page, what: str) -> Image.Image:
    """Press one of the buttons below the picture -> what the browser gets to save."""
    with page.expect_download() as download:
        page.click(f"[data-do={what}]")
    return Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))


def fill_tmp() -> list[int]:
    """What the page answers to more uploads than its /tmp has room for."""
    codes = []
    for _ in range(UPLOADS):
        files = {"files": ("noise.png", os.urandom(MEGABYTES * 10**6), "image/png")}
        codes.append(httpx.post(f"{URL}gradio_api/upload", files=files, timeout=60).status_code)
    return codes


def rehearse(folder: Path) -> list[str]:
    """All of it -> what is amiss."""
    rehearsal = Rehearsal(folder)
    try:
        started = rehearsal.wait()
        rehearsal.check("event: complete" in by_program(), "a program gets no picture")
        out = asked_outside()  # Chromium, once it is there, looks for a way out by itself
        rehearsal.check(not out, "it asked the network for something")
        with opened(rehearsal) as page:
            Hand(page).apple()
            drawn = generate(page)
            page.wait_for_timeout(1000)
            page.screenshot(path=folder / "page.png")
            rehearsal.check("imagination" not in say(page), "the drawing did not arrive")
            picture = np.asarray(saved(page, "png").convert("RGB"))
            rehearsal.check(ink(page, RESULT) > 0.02 and picture.std() > 5, "the picture is blank")
            rehearsal.check(getattr(saved(page, "gif"), "n_frames", 1) > 5, "the film has no frames")
            used = rehearsal.tmp_megabytes()
            answers = fill_tmp()
            rehearsal.check(set(answers) == {200, 507}, f"uploads without room: {answers}")
            rehearsal.check(rehearsal.health()["status"] == "ok", "with /tmp full it is not well")
            full = rehearsal.tmp_megabytes()
            again = generate(page)
            rehearsal.check(max(saved(page, "large").size) == 1024, "no large picture")
        print(f"it is there after      {started:.0f} s, in {rehearsal.memory_megabytes():.0f} MB at most")
        print(f"first picture          {drawn:.1f} s, another with /tmp filled {again:.1f} s")
        print(f"/tmp                   {used[0]:.1f} of {used[1]:.0f} MB, filled by uploads {full[0]:.0f} MB")
        print(f"uploads                answered with {answers}")
        print(f"attempts to get out    {out}")
    finally:
        rehearsal.end()
    return rehearsal.amiss


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    amiss = rehearse(parser.parse_args().folder)
    print("\n".join(f"amiss: {what}" for what in amiss) or "nothing is amiss")
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())

"""Links, and settings inside PNG files, made odd, in a real Chromium: the page stays well, runs no script."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from urllib.parse import parse_qsl, urlencode

import pytest

from diffusion.page.canvas_io import PNG_KEY
from diffusion.page.settings import RANGES, Settings
from fuzz import mutated, odd_json

from .actions import CANVAS_READY, set_slider, wait_for
from .test_modules import png, text_in

pytestmark = pytest.mark.slow
SETTINGS = Settings("tiny", {"subject": "pear", "style": "photo"}, 0.45, 9, seed=77)
SCRIPTS = ("<img src=x onerror=window.hacked=1>", "'\"><script>window.hacked=1</script>", "{{constructor}}")
BYTES, FILES, LINKS = 200, 40, 8


def odd_settings(rng: random.Random) -> dict:
    """Some values are others, and some of these are scripts."""
    values = asdict(SETTINGS)
    if rng.random() < 0.5:
        values[rng.choice(list(values))] = rng.choice(SCRIPTS)
    else:
        values["labels"] = {rng.choice(("subject", "x")): rng.choice((*SCRIPTS, "cat"))}
    odd = odd_json(rng, values, 0.4)
    return odd if isinstance(odd, dict) else values


def written(settings: object) -> bytes:
    return png(**{PNG_KEY: json.dumps(settings)})


def test_text_is_looked_for_in_any_bytes(modules):
    content = written(asdict(SETTINGS))
    found = [text_in(modules, mutated(random.Random(i), content), PNG_KEY) for i in range(BYTES)]
    assert all(isinstance(text, str) for text in found) and any(found)


def paints_still(page) -> None:
    """Every control is within its bounds, a run works, and nothing that was sent ran as a script."""
    if not page.is_visible("#seed input"):
        page.locator("#advanced button").first.click()
        page.wait_for_selector("#seed input")
    for name in ("Strength", "Steps"):
        low, high = RANGES[name.lower()]
        assert low <= float(page.get_by_label(f"number input for {name}").input_value()) <= high
    set_slider(page, "Steps", 5)
    page.click("#generate")
    page.wait_for_selector(".result[data-phase=done]")
    assert not page.evaluate("'hacked' in window")


def test_files_with_odd_settings_or_bytes(page, tmp_path):
    for i in range(FILES):
        rng = random.Random(i)
        content = written(odd_settings(rng))
        (tmp_path / f"{i}.png").write_bytes(content if rng.random() < 0.6 else mutated(rng, content))
        page.set_input_files("#canvas input[type=file]", tmp_path / f"{i}.png")
    good = asdict(Settings("tiny", {"subject": "cat", "style": "noto"}, 0.35, 9, seed=4321))
    (tmp_path / "good.png").write_bytes(written(good))
    page.wait_for_timeout(1000)  # what was read last may be answered last
    page.set_input_files("#canvas input[type=file]", tmp_path / "good.png")
    page.wait_for_function("document.querySelector('#seed input').value == '4321'")
    paints_still(page)
    wait_for(page, "done")


def test_links_with_odd_settings(open_page, server):
    page = open_page()
    link = SETTINGS.to_query()
    for i in range(LINKS):
        rng = random.Random(i)
        odd = {key: value for key, value in odd_settings(rng).items() if key and isinstance(key, str)}
        query = dict(parse_qsl(mutated(rng, link.encode()).decode(errors="replace"))) | odd
        page.goto(f"{server.url}?{urlencode(query, errors='replace')}"[:6000])
        page.wait_for_selector(CANVAS_READY)
    paints_still(page)

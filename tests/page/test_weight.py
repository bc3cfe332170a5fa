"""What opening the page costs: how much is sent, and what browsers may keep."""

from __future__ import annotations

import gzip
import io
import json
import math
import urllib.error
import urllib.request
import zlib

import pytest

pytest.importorskip("gradio")

from PIL import Image
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from assets.name_pictures import CELL, COLUMNS
from conftest import tiny_checkpoint
from diffusion import load_checkpoint
from diffusion.page import app, choices, web


def fetch(url: str):
    """The body as it was sent, and its headers."""
    asked = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.read(), answer.headers


def test_the_page_comes_compressed_and_without_the_examples_pixels(server):
    body, headers = fetch(server.url)
    assert headers["Content-Encoding"] == "gzip"
    page = gzip.decompress(body)
    assert len(body) < len(page) / 2 and b"drawings/cat-2.png?" in page
    assert b"data:image/png;base64" not in page


def test_an_example_is_a_file_to_keep_and_another_drawing_has_another_address(server):
    apple, cat = choices.example_drawings(tiny_checkpoint())
    for drawing in (apple, cat):
        body, headers = fetch(f"{server.url}web/{web.VERSION}/{drawing['url']}")
        assert body == (choices.DRAWINGS / drawing["file"]).read_bytes()
        assert "immutable" in headers["Cache-Control"] and drawing["url"].endswith(str(zlib.crc32(body)))
    for other in ("none.png", "..%2Fapp.gif", "%2e%2e/dog.png"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetch(f"{server.url}web/{web.VERSION}/drawings/{other}")


def test_the_pictures_of_names_are_one_file_that_is_fetched_when_it_is_needed(server):
    body, headers = fetch(f"{server.url}web/{web.VERSION}/{web.NAMES}")
    assert "immutable" in headers["Cache-Control"] and headers["Content-Type"] == "image/webp"
    assert web.NAMES.encode() not in gzip.decompress(fetch(server.url)[0]) and len(body) < 700_000
    width, height = Image.open(io.BytesIO(body)).size
    assert width == COLUMNS * CELL and height == math.ceil(len(choices.PICTURED) / COLUMNS) * CELL
    shipped = load_checkpoint(app.CHECKPOINTS / "doodle-64.safetensors").label_names["subject"]
    assert set(choices.PICTURED) == set(shipped)


def test_events_are_sent_as_they_come():
    """Compressing a stream would hold its events back."""

    async def events(request):
        async def tell():
            yield "data: " + json.dumps("x" * 2000) + "\n\n"

        return StreamingResponse(tell(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/events", events)], middleware=web.middleware())
    answer = TestClient(app).get("/events", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers and answer.text.startswith("data: ")

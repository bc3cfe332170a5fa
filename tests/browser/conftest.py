"""A Chromium and pages in it: the whole page, and the canvas alone."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gradio")
api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from diffusion.page.web import MODULES

from .actions import CANVAS_READY, PATIENCE, ink
from .canvas_page import CanvasPage

HOST = "http://modules.test/"
CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
QUIET = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
    " --disable-sync --use-fake-device-for-media-stream"
).split()


@pytest.fixture(scope="session")
def browser():
    with api.sync_playwright() as playwright:
        found = next((path for path in CHROMIUM if Path(path).exists()), None)
        try:
            browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        except api.Error as error:
            pytest.skip(f"no Chromium to look with: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def open_page(browser, server):
    """Opens the page; at the end nothing may have gone wrong in it, nor been fetched from elsewhere."""
    contexts, foreign, errors = [], [], []

    def watch(request):
        if not request.url.startswith((server.url, "data:", "blob:")):
            foreign.append(request.url)

    def open_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", watch)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url)
        page.wait_for_selector(CANVAS_READY)
        page.wait_for_selector(".result[data-phase=empty]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not foreign, "the page asked another host"
    assert not errors


@pytest.fixture(scope="module")
def desktop(open_page):
    page = open_page()
    page.locator("#advanced button").first.click()
    page.wait_for_selector("#seed input")
    return page


@pytest.fixture
def page(desktop, server):
    """A page with a blank canvas on which nothing runs; opening a new one for each test would take long."""
    server.delay = 0.0
    yield desktop
    server.delay = 0.0
    server.gate.set()
    desktop.wait_for_function("!['run', 'wait'].includes(document.querySelector('.result').dataset.phase)")
    if ink(desktop):
        desktop.click("[data-do=clear]")
    desktop.click("[data-tool=brush]")


@pytest.fixture(scope="module")
def modules(browser):
    """An empty page that can import the modules by their paths."""
    page = browser.new_page()

    def serve(route):
        module = route.request.url.removeprefix(HOST)
        if module in MODULES:
            route.fulfill(body=MODULES[module], content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")

    page.route(HOST + "**", serve)
    page.goto(HOST)
    yield page
    page.close()


@pytest.fixture(scope="module")
def canvas():
    """The canvas alone, on a server of its own."""
    canvas = CanvasPage()
    yield canvas
    canvas.demo.close()


@pytest.fixture(scope="module")
def canvas_window(browser, canvas):
    page = canvas.open(browser, viewport={"width": 1000, "height": 900}, permissions=["camera"])
    yield page
    page.context.close()
    assert not canvas.errors


@pytest.fixture
def canvas_page(canvas_window, canvas):
    """It is blank again afterwards, and nothing is on its way to Python."""
    yield canvas_window
    canvas.settle(canvas_window)
    if canvas_window.is_enabled("[data-do=clear]"):
        before = len(canvas.received)
        canvas_window.click("[data-do=clear]")
        canvas.wait(canvas_window, before + 1)
    canvas_window.click("[data-tool=brush]")
    canvas.forget()
    canvas.seconds = 0.0

"""What those who run the page may want to know: whether it works, and a line for each run.

GET /health    {"status": "ok", "version", "runs", "kept_bytes"}; 503 where the model's thread is stuck
log            one JSON object a run, at level INFO, under the name of this module: how it ended, how many
               steps in how many milliseconds, after how many in the line, and all settings. Nothing of the
               drawing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as TooLate
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import __version__
from ..sampler import Step
from .settings import Settings
from .shelf import SHELF
from .worker import MODEL_THREAD

LOG = logging.getLogger(__name__)
PATIENCE = 20.0  # seconds; nine pictures' step takes one or two
_count, _lock = 0, threading.Lock()


@contextlib.contextmanager
def logged(settings: Settings, steps: list[Step], waited: float = 0.0) -> Iterator[None]:
    """Around a run that adds its steps to a list: a line in the log when it is over, however it ends.

    Args:
        waited: seconds for which it was in the line.
    """
    global _count
    begun, before, failed = time.perf_counter(), len(steps), True
    try:
        yield
        failed = False
    except GeneratorExit:  # nobody wants the rest
        failed = False
        raise
    finally:
        last = steps[-1] if steps else None
        whole = last is not None and last.index == last.total
        facts = {
            "event": "run",
            "outcome": "failed" if failed else "done" if whole else "stopped",
            "pictures": len(last.x) if last else 0,
            "steps_done": len(steps) - before,
            "ms": round(1000 * (time.perf_counter() - begun)),
            "waited_ms": round(1000 * waited),
        }
        with _lock:
            _count += 1
        LOG.info(json.dumps(facts | asdict(settings)))


def health(request: Request) -> Response:
    """Does the model's thread answer, between two steps of whatever goes on?"""
    asked = MODEL_THREAD.submit(int)
    try:
        asked.result(PATIENCE)
    except TooLate:
        asked.cancel()
        return JSONResponse({"status": "stuck", "version": __version__}, status_code=503)
    about = {"status": "ok", "version": __version__, "runs": _count, "kept_bytes": SHELF.nbytes}
    return JSONResponse(about, headers={"Cache-Control": "no-store"})


def routes() -> list[Route]:
    """For the server."""
    return [Route("/health", health)]


def to_stderr() -> None:
    """Write the lines where the program writes its own messages."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)

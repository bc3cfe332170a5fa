"""What the browser fetches: the modules under assets/web, the pictures of names, and the example drawings.

Their address holds a digest of the first two, so that a browser may keep them and never mixes two versions.
The page itself is sent compressed; Gradio compresses files, and leaves alone what has no extension.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..folders import files_in
from . import choices

WEB = Path(__file__).parents[2] / "assets" / "web"
MODULES = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in sorted(WEB.rglob("*.js"))}
NAMES = "names.webp"  # a small picture for each name of a list, see assets/name_pictures.py
PICTURES = (WEB / NAMES).read_bytes()
VERSION = hashlib.sha256(b"\0".join([*MODULES.values(), PICTURES])).hexdigest()[:12]
KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}  # a year; other contents have another address


def routes() -> list[Route]:
    """For the server: `/web/VERSION/canvas/main.js` and its like, `/web/VERSION/drawings/apple.png`."""
    return [
        Route(f"/web/{VERSION}/drawings/{{name}}", _drawing),
        Route(f"/web/{VERSION}/{{path:path}}", _file),
    ]


def _drawing(request: Request) -> Response:
    known = {path.name: path for path in files_in(choices.DRAWINGS, ".png")}
    path = known.get(request.path_params["name"])
    if path is None:
        return Response(status_code=404)
    return Response(path.read_bytes(), media_type="image/png", headers=KEEP)


class _Compressed:
    """The page and its news, made small; streams of events pass as they come, and so do files."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.small = app, GZipMiddleware(app, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_file = "." in scope.get("path", "")
        await (self.app if is_file else self.small)(scope, receive, send)


def middleware() -> list[Middleware]:
    """For the server."""
    return [Middleware(_Compressed)]


def _file(request: Request) -> Response:
    path = request.path_params["path"]
    body = PICTURES if path == NAMES else MODULES.get(path)
    if body is None:
        return Response(status_code=404)
    kind = "image/webp" if path == NAMES else "text/javascript"
    return Response(body, media_type=kind, headers=KEEP)


def js_on_load(module: str, events: Sequence[str] = ()) -> str:
    """Script for a gr.HTML that hands the component to a module's `mount`.

    Args:
        module: path below assets/web, "canvas/main.js".
        events: what the module may trigger; Gradio knows an event only if its name stands in the script.
    """
    if module not in MODULES:
        raise ValueError(f"assets/web has no module {module}.")
    # The page may stand below a prefix, or be shown inside another page by a <gradio-app>.
    return f"""// may trigger {json.dumps(list(events))}
const page = element.closest('gradio-app')?.getAttribute('src') ?? document.baseURI;
const address = new URL('web/{VERSION}/{module}', page);
import(address).then(({{ mount }}) => mount(element, {{ props, trigger, watch, server }}));
"""

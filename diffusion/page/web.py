"""What runs in the browser: the modules under assets/web, their address, and how a component loads its own.

The address holds a digest of all modules, so that a browser may keep them and still never mixes two versions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

WEB = Path(__file__).parents[2] / "assets" / "web"
MODULES = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in sorted(WEB.rglob("*.js"))}
VERSION = hashlib.sha256(b"\0".join(MODULES.values())).hexdigest()[:12]
KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}  # a year; other contents have another address


def routes() -> list[Route]:
    """For the server: `/web/VERSION/canvas/main.js` and its like."""
    return [Route(f"/web/{VERSION}/{{path:path}}", _module)]


def _module(request: Request) -> Response:
    body = MODULES.get(request.path_params["path"])
    if body is None:
        return Response(status_code=404)
    return Response(body, media_type="text/javascript", headers=KEEP)


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

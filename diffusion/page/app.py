"""The whole page, put together.

    settings, canvas_io, drawing, session, worker   what becomes of a drawing; nothing there knows Gradio
    guesses, kinds           what a drawing may be, and what becomes it
    choices                  checkpoints, labels and examples to choose from
    web, components, layout  what stands on the page, and the browser's part of it
    controls, messages       what the browser sends, and what it is told
    handlers, connect        what happens when
    memory                   what is kept of it while the page is away
    lesson_tab, lesson_text  the second tab
    request, endpoints       the same for programs
    door                     what is refused before it gets there
    line                     who waits for the model
    shelf, watch             what is kept and for how long; health, and a line in the log for each run

How the page behaves in the browser, and the words in its own components, stand in assets/web.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import gradio as gr

from . import watch
from .choices import find_checkpoints
from .connect import connect
from .door import Door, no_room, take_null_as_left_out
from .endpoints import connect_endpoints
from .guesses import find_judge, guesser
from .layout import header, workspace
from .lesson_tab import connect_lesson, lesson
from .memory import connect_memory
from .shelf import keep_tidy
from .theme import THEME, TITLE, head
from .web import WEB, middleware, routes

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
NO_MODEL = """### There is no trained model yet
Put a checkpoint (a `.safetensors` file) into the `checkpoints` folder beside `app.py` and start again.
To train one on your own pictures, see `python -m diffusion.train --help`."""

LAUNCH: dict[str, Any] = {  # one place for the server's settings, so that the tests open the same page
    "theme": THEME,
    "css_paths": [WEB / f"{name}.css" for name in ("page", "words", "lesson", "share", "phone")],
    "favicon_path": WEB / "favicon.png",
    "head": head(),
    "footer_links": ["api"],
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "max_file_size": "10mb",
    "state_session_capacity": 1000,  # tabs that are remembered; anybody can say that they are another one
    "mcp_server": importlib.util.find_spec("mcp") is not None,  # from the extra gradio[mcp]
}


def build(folder: Path = CHECKPOINTS) -> gr.Blocks:
    """The page for the checkpoints in `folder`; without any it says how to get one."""
    checkpoints, problems = find_checkpoints(Path(folder))
    judge, damage = find_judge(Path(folder))
    guess = guesser(checkpoints, judge) if judge else None
    with Door(title=TITLE, fill_width=True) as demo, gr.Column(elem_id="page"):
        header()
        for problem in problems + damage:
            gr.Markdown(problem, elem_classes="problem")
        if not checkpoints:
            gr.Markdown(NO_MODEL, elem_id="no-model")
            return demo.queue(max_size=32)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Draw"):
                parts = workspace(checkpoints, guess)
            if next(iter(checkpoints.values())).codec.in_pixels:  # of latents there is nothing to see
                with gr.Tab("How it works") as tab:
                    lesson_parts = lesson(parts.controls)
                connect_lesson(tab, parts.controls, lesson_parts)
        connect_memory(parts, connect(demo, parts))
        connect_endpoints(parts.controls)
    return demo.queue(max_size=32)


def launch(demo: gr.Blocks, **more: Any) -> tuple:
    """Start the server, with what the page needs of it; `more` goes to Gradio's `launch`."""
    keep_tidy(Path(os.environ["GRADIO_TEMP_DIR"]))
    own = {
        "routes": [*routes(), *watch.routes()],
        "middleware": middleware(),
        "exception_handlers": {OSError: no_room},
    }
    launched = demo.launch(**LAUNCH, app_kwargs=own, **more)
    take_null_as_left_out(demo)
    return launched


def serve() -> None:
    """Open the page, until Ctrl-C. Gradio goes to the next port where one is taken: that is said."""
    watch.to_stderr()
    demo = build()
    _, url, _ = launch(demo, prevent_thread_lock=True)
    wanted = os.environ.get("GRADIO_SERVER_PORT") or "7860"
    if f":{wanted}/" not in url:
        print(f"Port {wanted} is taken, maybe by this page already: this one is at {url}", file=sys.stderr)
    demo.block_thread()

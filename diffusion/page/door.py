"""What is refused, in a sentence, where Gradio alone would write a traceback: odd files, and a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from .shelf import tidy

NOT_TAKEN = "That cannot be taken: a value is missing or one too many, or a file was not uploaded."
NO_ROOM = "There is no room for files just now, please try again in a minute."
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, the quota, what one file may have


def is_full(error: BaseException | None) -> bool:
    """Is it at the bottom of it that nothing more can be written?"""
    while error is not None and getattr(error, "errno", None) not in FULL:
        error = error.__cause__ or error.__context__
    return error is not None


class Door(gr.Blocks):
    """Blocks that say what is wrong with what came, before it reaches a handler, or with the disk, after."""

    async def preprocess_data(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().preprocess_data(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:  # all that is done here is to read what somebody sent
            raise gr.Error(NOT_TAKEN, print_exception=False) from error

    async def process_api(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().process_api(*args, **kwargs)
        except Exception as error:
            if isinstance(error, gr.Error) or not is_full(error):
                raise
            raise gr.Error(NO_ROOM, print_exception=False) from error


def no_room(request: Request, error: Exception) -> Response:
    """The server's answer to an upload that does not fit; the oldest files go at once."""
    if not is_full(error):
        raise error
    tidy(Path(os.environ["GRADIO_TEMP_DIR"]))
    return PlainTextResponse(NO_ROOM, 507)


def take_null_as_left_out(demo: gr.Blocks) -> None:
    """Assistants that name every argument send null for those they have no wish for; no type allows that.

    Args:
        demo: a page that was launched.
    """
    tools = getattr(demo, "mcp_server_obj", None)
    if tools is None:
        return
    from mcp.types import CallToolRequest

    handlers = tools.mcp_server.request_handlers
    call = handlers[CallToolRequest]

    async def call_without_nulls(request: CallToolRequest) -> Any:
        named = request.params.arguments or {}
        request.params.arguments = {name: value for name, value in named.items() if value is not None}
        return await call(request)

    handlers[CallToolRequest] = call_without_nulls

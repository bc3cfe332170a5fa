"""What a program asks for, read from the arguments of an endpoint."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from PIL import Image

from .. import images
from ..checkpoint import Checkpoint
from .drawing import Drawing, framed, to_enlarge
from .session import Run, paint
from .settings import Settings, find_model
from .watch import logged
from .worker import ahead

NO_DRAWING = "This needs a drawing, and there is none in the picture."


# A file's path, or what Gradio makes of one that was sent: {"path": ...}. It lets nothing pass but uploads.
File = str | dict[str, Any]


def _load(file: File | None) -> Image.Image | None:
    if not file:
        return None
    path = file["path"] if isinstance(file, dict) else file
    return images.load(io.BytesIO(Path(path).read_bytes()))


@dataclass(frozen=True)
class Request:
    """What a program asks for."""

    checkpoint: Checkpoint
    settings: Settings
    drawing: Drawing | None

    @classmethod
    def read(
        cls,
        checkpoints: dict[str, Checkpoint],
        picture: File | None = None,
        keep: File | None = None,
        subject: str | None = None,
        style: str | None = None,
        model: str | None = None,
        **dials: object,
    ) -> Request:
        """Arguments of an endpoint -> what they ask for; those that are None, or missing, are the default.

        Raises:
            ValueError: an unknown name, a value out of its range, or a file that is no picture.
        """
        model = find_model(checkpoints, model)
        checkpoint = checkpoints[model]
        labels = dict(zip(checkpoint.label_names, (subject, style)))
        settings = Settings.read(model, labels, lines=False, **dials)  # a program gets what the model made
        shown, mask = _load(picture), _load(keep)
        if settings.enlarge:
            return cls(checkpoint, settings, to_enlarge(shown, mask, checkpoint))
        prepared = framed(shown, checkpoint, settings.labels, settings.colour)
        return cls(checkpoint, settings, Drawing(shown, mask, prepared) if shown and prepared else None)

    def run(self, count: int = 1) -> Iterator[Run]:
        """The run of `count` seeds after each of its steps."""
        run = Run(self.settings, self.drawing, [], codec=self.checkpoint.codec)
        batches = ahead(paint(self.checkpoint, self.drawing, self.settings, count))
        with logged(self.settings, run.steps), contextlib.closing(batches):
            for step in chain.from_iterable(batches):
                run.steps.append(step)
                yield run

    def needed_drawing(self) -> Drawing:
        """The drawing.

        Raises:
            ValueError: there is none.
        """
        if self.drawing is None:
            raise ValueError(NO_DRAWING)
        return self.drawing

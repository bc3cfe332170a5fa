"""Behind the page: a drawing and its settings become a run, and runs are kept for what comes after them.

Nothing here knows of a web framework. app.py lays out the page and passes messages to and fro; what such a
message holds is read here, and what a person asks for is turned into calls of `edit`.

    read_canvas, framed   what the browser sent            -> Drawing
    paint                 a drawing and its settings       -> Steps, for one seed or several at once
    in_model_thread       everything that torch computes for the page
    ahead                 Steps, made there while others are being shown
    Run, go_on            what is kept of a run, and denoising on from one of its steps
    Session               which run is wanted, of all that one person asked for
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import json
import math
import queue
import re
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import urlencode

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .. import images
from ..checkpoint import Checkpoint
from ..lineart import colour_in
from ..sampler import Sampling, Step
from ..sdedit import StrengthSearch, edit

RESULT_SIDE = 512  # pixels of the finished picture
# Animations are GIFs: a WebP is a third as large, but many places that people share to do not play it.
GIF_SIDE = 320
NOISY_FRAMES = 12  # at most; they are nearly all of the file, some 55 kB each
FRAME_MS, DRAWING_MS = 110, 700
MAX_DATA_URL = 8_000_000  # characters; a full canvas takes about 500,000
MAX_SEED = 2**31 - 1
KEPT_RUNS = 16  # of each open tab; one of nine pictures in 50 steps takes 44 MB, the usual one 1 MB
PNG_KEY = "doodle-diffusion"  # the text chunk with a picture's settings
RANGES = {  # of the numbers a person may choose; a whole number where the bounds are
    "strength": (0.0, 1.0), "steps": (5, 50), "guidance": (1.0, 6.0), "eta": (0.0, 1.0), "seed": (0, MAX_SEED)
}  # fmt: skip

BAD_PICTURE = "The drawing did not arrive in one piece; please try again."
BIG_PICTURE = "That picture is too large; please use a smaller one."
TOO_OLD = "That picture was made too long ago, its steps are gone. Please generate it again."
OTHER_MODEL = "That picture was made with another model. Choose that model, or generate it again."


def pretty(name: str) -> str:
    """A label's name as people write it: "fluent-3d" -> "Fluent 3D"."""
    words = re.sub(r"\b\dd\b", lambda match: match[0].upper(), name.replace("-", " ").replace("_", " "))
    return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class Settings:
    """All that makes a picture again, but for the drawing."""

    model: str
    labels: dict[str, str]
    strength: float
    steps: int
    guidance: float
    eta: float
    seed: int
    colour: bool

    @property
    def name(self) -> str:
        """A file name without its extension."""
        return "-".join([*self.labels.values(), str(self.seed)]).replace(" ", "-")

    def to_query(self) -> str:
        """The query part of a link that sets the page's controls; `known_settings` reads it."""
        parts = asdict(self) | {"colour": int(self.colour)}
        labels = parts.pop("labels")
        model = {"model": parts.pop("model")}
        return urlencode(
            {key: str(value).removesuffix(".0") for key, value in (model | labels | parts).items()}
        )


def known_settings(wishes: Mapping, checkpoints: dict[str, Checkpoint], model: str) -> dict:
    """What of a link or of a file's text can be had here: names that exist, numbers brought into their range.

    Links get cut, edited and old, so whatever cannot be read is left out without a word.

    Args:
        wishes: as in `Settings`; values may be text, labels may stand beside the others or in "labels".
        model: the one picked now, whose labels are meant where no other that exists here is named.
    """
    labels = wishes.get("labels")
    wishes = {**(labels if isinstance(labels, Mapping) else {}), **wishes}
    found = {}
    if wishes.get("model") in list(checkpoints):
        found["model"] = model = wishes["model"]
    kinds = checkpoints[model].label_names
    if known := {kind: wishes[kind] for kind, names in kinds.items() if wishes.get(kind) in names}:
        found["labels"] = known
    for key, (low, high) in RANGES.items():
        with contextlib.suppress(TypeError, ValueError, OverflowError):  # no number, or not one at all
            number = min(max(float(wishes.get(key)), low), high)
            if not math.isnan(number):
                found[key] = round(number) if isinstance(low, int) else number
    colour = str(wishes.get("colour")).lower()
    if colour in ("0", "1", "false", "true"):
        found["colour"] = colour in ("1", "true")
    return found


@dataclass(frozen=True)
class Drawing:
    """What a person drew, as it stands on the canvas and as the model sees it."""

    picture: Image.Image
    keep: Image.Image | None  # black where the picture must stay as it is
    prepared: images.Prepared
    value: dict | None = None  # what the canvas sent, see `read_canvas`

    @property
    def box(self) -> list[float]:
        """Left, top and side of what the model sees, in shares of the canvas's side."""
        left, top, right, _ = self.prepared.box
        side = self.picture.width
        return [left / side, top / side, (right - left) / side]

    def resized(self, width: int) -> Drawing:
        """The same drawing with fewer pixels, and its frame with it."""
        k = width / self.picture.width
        size = (width, max(1, round(self.picture.height * k)))
        box = tuple(round(edge * k) for edge in self.prepared.box)
        picture = images.flatten(self.picture).resize(size, Image.Resampling.LANCZOS)
        return Drawing(picture, self.keep, replace(self.prepared, box=box, original_size=size))


@dataclass
class Run:
    """A run that has ended: what made it, and the states it went through."""

    settings: Settings
    drawing: Drawing | None
    steps: list[Step]  # x and x0 (B, 3, R, R): B pictures, with seeds that count up

    def only(self, k: int) -> Run:
        """The same run for its k-th picture alone."""
        steps = [replace(step, x=step.x[k : k + 1], x0=step.x0[k : k + 1]) for step in self.steps]
        return Run(replace(self.settings, seed=self.settings.seed + k), self.drawing, steps)

    def picture(self) -> Image.Image:
        """The result, standing where the drawing stood."""
        return self._stand(images.to_pil(self.steps[-1].x0[:1], RESULT_SIDE), self.drawing)

    def animation(self) -> list[Image.Image]:
        """The drawing, noisy states on their way to the picture, and the picture, all in its place."""
        drawing = self.drawing.resized(GIF_SIDE) if self.drawing else None
        apart = max(1, math.ceil((len(self.steps) - 1) / NOISY_FRAMES))
        noisy = [images.to_pil(step.x[:1], GIF_SIDE) for step in self.steps[:-1:apart]]
        last = images.to_pil(self.steps[-1].x0[:1], GIF_SIDE)
        start = [drawing.picture] if drawing else []
        return start + [self._stand(picture, drawing) for picture in [*noisy, last]]

    @staticmethod
    def _stand(painted: Image.Image, drawing: Drawing | None) -> Image.Image:
        if drawing is None:
            return painted
        return images.paste_back(painted, drawing.prepared, drawing.picture, drawing.keep)


@dataclass
class Session:
    """What the server remembers of one open tab: which run is wanted, and the last few that ended.

    Runs are numbered. Whoever wants one asks first, outside the queue, which raises `wanted` at once; a run
    that is no longer wanted sees that after its current step and ends. The number travels to the page and
    back, together with the drawing, as a ticket: a drawing that comes with the newest number is at least as
    new as the request for it, so the newest drawing always wins.
    """

    wanted: int = 0  # the newest run asked for
    taken: int = 0  # the newest run begun, or called off
    runs: dict[int, Run] = field(default_factory=dict)
    search: StrengthSearch | None = None

    def ask(self) -> int:
        self.wanted += 1
        return self.wanted

    def take(self, run: int) -> bool:
        """May this run begin? Not if a newer one is wanted, or it has begun already."""
        if run != self.wanted or run <= self.taken:
            return False
        self.taken = run
        return True

    def call_off(self) -> int:
        self.taken = self.ask()
        return self.taken

    def keep(self, number: int, run: Run) -> None:
        self.runs[number] = run
        for oldest in sorted(self.runs)[:-KEPT_RUNS]:
            del self.runs[oldest]

    def kept(self, number: int, k: int) -> Run:
        """The k-th picture of a run that has ended.

        Raises:
            ValueError: it is not kept any longer.
        """
        if number not in self.runs or not 0 <= k < len(self.runs[number].steps[0].x):
            raise ValueError(TOO_OLD)
        return self.runs[number].only(k)


def read_data_url(url: str | None) -> Image.Image | None:
    """A picture sent by the browser as text; None for an empty one.

    Raises:
        images.ImageError: no text, too long, not a picture, or damaged.
    """
    if url is None or url == "":
        return None
    if not isinstance(url, str):
        raise images.ImageError(BAD_PICTURE)
    if len(url) > MAX_DATA_URL:
        raise images.ImageError(BIG_PICTURE)
    match = re.match(r"data:image/[\w.+-]+;base64,", url)
    try:
        data = base64.b64decode(url[match.end() :], validate=True) if match else b""
    except binascii.Error:
        data = b""
    if not data:
        raise images.ImageError(BAD_PICTURE)
    return images.load(io.BytesIO(data))


def read_canvas(value: dict | str | None) -> tuple[Image.Image | None, Image.Image | None]:
    """The canvas's value, {"picture": data URL, "keep": data URL} or "" -> (drawing, mask of what to keep).

    The mask is black where the drawing must be kept and white elsewhere. Each is None where there is none.

    Raises:
        images.ImageError: anything that canvas.js does not send: a person's browser, or a program's mistake.
    """
    if value is None or value == "":
        return None, None
    if not isinstance(value, dict):
        raise images.ImageError(BAD_PICTURE)
    picture, keep = read_data_url(value.get("picture")), read_data_url(value.get("keep"))
    if keep is not None and (picture is None or keep.size != picture.size):
        raise images.ImageError(BAD_PICTURE)
    return picture, keep


def data_url(image: Image.Image, settings: Settings | None = None) -> str:
    """A picture as text; settings travel in the PNG's text chunk."""
    buffer = io.BytesIO()
    info = PngInfo()
    if settings:
        info.add_text(PNG_KEY, json.dumps(asdict(settings)))
    image.save(buffer, format="PNG", compress_level=1, pnginfo=info)  # small pictures: speed counts
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def read_settings(text: str) -> dict:
    """The settings that travel in a PNG, as they stand there; {} where the text is none of ours."""
    try:
        settings = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


def framed(
    picture: Image.Image | None, ckpt: Checkpoint, labels: dict[str, str], colour: bool
) -> images.Prepared | None:
    """The drawing as the model sees it; None where nothing is drawn.

    With `colour`, a drawing that is only outlines is filled with colours typical of what it shows.
    """
    if picture is not None and colour:
        picture = colour_in(picture, ckpt.colours_of(labels))
    prepared = images.prepare(picture, ckpt.image_size) if picture else None
    return None if prepared is None or prepared.blank else prepared


def read_drawing(value: dict | str | None, ckpt: Checkpoint, settings: Settings) -> Drawing | None:
    """What the canvas sent; None where nothing is drawn on it.

    Raises:
        images.ImageError: it did not arrive in one piece.
    """
    picture, keep = read_canvas(value)
    prepared = framed(picture, ckpt, settings.labels, settings.colour)
    return None if prepared is None else Drawing(picture, keep, prepared, value)


# All that torch computes is computed in this one thread. OpenMP gives every thread that computes a team of
# helpers of its own, and where there are more of them than cores, they go to sleep at each of a network's
# many short waits: on two cores a step takes 1.6 times as long once a second thread has computed anything,
# and a web server answers each request in another.
MODEL_THREAD = ThreadPoolExecutor(1, "model")


def in_model_thread(work: Callable, *args, **kwargs):
    """What work(*args, **kwargs) returns or raises, done between two steps of what is being painted.

    Work that is done there must not call this: it would wait for itself.
    """
    return MODEL_THREAD.submit(work, *args, **kwargs).result()


def paint(
    ckpt: Checkpoint,
    drawing: Drawing | None,
    settings: Settings,
    count: int = 1,
    after: Step | None = None,
    renoise: bool = False,
) -> Generator[Step]:
    """Run the model on a drawing, `count` seeds at once; without a drawing it imagines from pure noise.

    The last Step's x0 is the finished picture, decoded; all others are as the model draws them.
    Nothing is computed, nor refused, before the first step is asked for: this may be called in any thread.
    """
    x0 = mask = None
    if drawing:
        x0 = ckpt.codec.encode(drawing.prepared.x0).expand(count, -1, -1, -1)
        mask = drawing.keep and images.prepare_mask(drawing.keep, drawing.prepared, ckpt.image_size)
    steps = edit(
        ckpt,
        x0,
        settings.labels,
        Sampling(
            strength=1.0 if drawing is None else settings.strength,
            steps=settings.steps,
            guidance=settings.guidance,
            eta=settings.eta,
        ),
        generator=[torch.Generator().manual_seed(settings.seed + k) for k in range(count)],
        mask=mask,
        after=after,
        renoise=renoise,
    )
    for step in steps:
        done = step.index == step.total
        yield replace(step, x0=ckpt.codec.decode(step.x0)) if done else step


def ahead(steps: Generator[Step], wanted: Callable[[], bool] = lambda: True) -> Iterator[list[Step]]:
    """Let the model go on in its own thread while the page is busy with the frames it has.

    Yields all steps that are new, one or several, so that a slow page never slows the model down. The model
    stops within a step once nobody wants its work or this generator is closed, which does not wait for it.
    Each step is queued by itself: others who need the thread get their turn in between.
    """
    ready: queue.SimpleQueue[Step | Exception | None] = queue.SimpleQueue()
    closed = threading.Event()

    def work() -> None:
        try:
            step = None if closed.is_set() or not wanted() else next(steps, None)
        except Exception as error:
            step = error
        ready.put(step)
        if isinstance(step, Step):
            MODEL_THREAD.submit(work)
        else:
            steps.close()

    MODEL_THREAD.submit(work)
    try:
        while True:
            new = [ready.get()]
            new += [ready.get() for _ in range(ready.qsize())]  # not until it is empty: that might never be
            end = new[-1] if not isinstance(new[-1], Step) else ...
            if new := [step for step in new if isinstance(step, Step)]:
                yield new
            if isinstance(end, Exception):
                raise end
            if end is None:
                return
    finally:
        closed.set()


def go_on(
    session: Session, ckpt: Checkpoint, settings: Settings, run: int, k: int, step: int
) -> tuple[Run, Iterator[Step]]:
    """Denoise on from a kept step, with what is chosen now: words, guidance, eta or a new seed.

    Strength, step count, model and drawing are the old run's, since they belong to the state.
    """
    old = session.kept(run, k)
    if settings.model != old.settings.model:
        raise ValueError(OTHER_MODEL)
    settings = replace(settings, strength=old.settings.strength, steps=old.settings.steps)
    new = Run(settings, old.drawing, old.steps[:step])
    renoise = settings.seed != old.settings.seed
    return new, paint(ckpt, old.drawing, settings, after=old.steps[step - 1], renoise=renoise)


def gif_bytes(run: Run) -> bytes:
    buffer = io.BytesIO()
    images.save_gif(run.animation(), buffer, ms=FRAME_MS, first_ms=DRAWING_MS if run.drawing else FRAME_MS)
    return buffer.getvalue()

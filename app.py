"""The page: draw something, say what it is, and watch it being painted.

Layout, events and every sentence a person reads; the pictures are made in `diffusion`, and how the two
canvases behave in the browser stands in assets/web/*.js. Run it with `python app.py`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import os
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # must be set before the import: no request to another host

import gradio as gr  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

from diffusion import images  # noqa: E402
from diffusion.checkpoint import Checkpoint, CheckpointError, load_checkpoint  # noqa: E402
from diffusion.lineart import colour_in  # noqa: E402
from diffusion.sampler import Step  # noqa: E402
from diffusion.sdedit import edit  # noqa: E402

HERE = Path(__file__).parent
CHECKPOINTS = HERE / "checkpoints"
DRAWINGS = HERE / "assets" / "drawings"
WEB = HERE / "assets" / "web"

TITLE = "Doodle Diffusion"
RESULT_SIDE = 512  # pixels of the finished picture
GIF_SIDE = 256
MAX_DATA_URL = 8_000_000  # characters; a full canvas takes about 500,000
MAX_SEED = 2**31 - 1
MODEL = {"concurrency_id": "model", "concurrency_limit": 1}  # one picture at a time: it takes every core

# ------------------------------------------------------------------------------------------------- words

TAGLINE = "Draw something, say what it is, and watch a small neural network paint it."
NO_MODEL = """### There is no trained model yet
Put a checkpoint (a `.safetensors` file) into the `checkpoints` folder beside `app.py` and start again.
To train one on your own pictures, see `python -m diffusion.train --help`."""
HOW_IT_WORKS = """
Your drawing is shrunk to {size} x {size} pixels and covered with random noise: a little at a low strength, so
that your shapes and colours stay, a lot at a high one. A neural network that has seen many pictures being
buried in noise then takes the noise away again, step by step, steered by the words you chose. What comes out
follows your drawing where it could still be seen and is made up where it could not. The idea is called
[SDEdit](https://arxiv.org/abs/2108.01073), the steps are [DDIM](https://arxiv.org/abs/2010.02502) with
[classifier-free guidance](https://arxiv.org/abs/2207.12598), and everything runs on the processor of this
computer.
"""
FIRST = ["apple", "photo"]  # what the page opens with, where the checkpoint has it
QUESTIONS = {"subject": "What is it?", "class": "What is it?", "style": "How should it look?"}
BLANK = "Your canvas was empty, so this one is pure imagination. Draw something to steer it."
BAD_PICTURE = "The drawing did not arrive in one piece; please try again."
BIG_PICTURE = "That picture is too large; please use a smaller one."
NOTHING_TO_SAVE = "There is no picture to save yet: press Generate first."
FAILED = "Something went wrong while painting, please try again."


def pretty(name: str) -> str:
    """A label's name as people write it: "fluent-3d" -> "Fluent 3D"."""
    words = re.sub(r"\b\dd\b", lambda match: match[0].upper(), name.replace("-", " ").replace("_", " "))
    return words[:1].upper() + words[1:]


# ------------------------------------------------------------------------------------------- checkpoints


def find_checkpoints(folder: Path) -> tuple[dict[str, Checkpoint], list[str]]:
    """Load a folder -> {file stem: checkpoint}, and a sentence for each file that is no use."""
    found, problems = {}, []
    for path in sorted(folder.glob("*.safetensors")):
        try:
            found[path.stem] = load_checkpoint(path)
        except CheckpointError as error:
            problems.append(str(error).replace(str(path), path.name))
    return found, problems


def label_choices(ckpt: Checkpoint, chosen: list[str]) -> list[str]:
    """Names of the next label kind that the checkpoint has seen together with those chosen already."""
    place = len(chosen)
    seen = {pair[place] for pair in ckpt.pairs if list(pair[:place]) == chosen}
    names = list(ckpt.label_names.values())[place]
    return [name for name in names if name in seen] if seen else list(names)


def settle(ckpt: Checkpoint, wanted: list[str | None]) -> list[tuple[list[str], str]]:
    """For each label kind the names to offer and the one to select: the wanted one wherever it exists."""
    settled: list[tuple[list[str], str]] = []
    for i in range(len(ckpt.label_names)):
        names = label_choices(ckpt, [value for _, value in settled])
        wish = wanted[i] if i < len(wanted) else None
        settled.append((names, wish if wish in names else names[0]))
    return settled


def selector_updates(ckpt: Checkpoint, wanted: list[str | None], count: int) -> list[dict]:
    """One gr.update for each of the page's `count` selectors; those the checkpoint has no use for hide."""
    updates = [
        gr.update(
            choices=[(pretty(name), name) for name in names], value=value, label=question(kind), visible=True
        )
        for kind, (names, value) in zip(ckpt.label_names, settle(ckpt, wanted))
    ]
    return updates + [gr.update(visible=False, value=None)] * (count - len(updates))


def question(kind: str) -> str:
    return QUESTIONS.get(kind, pretty(kind))


def example_drawings(ckpt: Checkpoint) -> list[dict]:
    """The drawings in assets/drawings whose subject the checkpoint knows: `cat-2.png` shows a "cat"."""
    known = next(iter(ckpt.label_names.values()), [])
    drawings = []
    for path in sorted(DRAWINGS.glob("*.png")):
        subject = re.sub(r"-\d+$", "", path.stem).replace("_", " ")
        if subject in known:
            url = "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
            drawings.append({"subject": subject, "name": pretty(subject), "url": url})
    return drawings


# ----------------------------------------------------------------------------------------- one generation


@dataclass
class Session:
    """What the server remembers of one open tab: which run is wanted, and the frames of the last one.

    Runs are numbered. Generate and Stop raise `wanted` at once, outside the queue; a run that is no longer
    wanted sees that after its current step and ends.
    """

    wanted: int = 0  # the newest run asked for
    taken: int = 0  # the newest run begun, or called off
    frames: list[torch.Tensor] = field(default_factory=list)  # predicted clean pictures, (1, 3, R, R)
    name: str = "doodle"

    def ask(self) -> int:
        self.wanted += 1
        return self.wanted

    def take(self) -> int | None:
        """The number of the run to begin; None if it was called off or another click has begun it."""
        if self.taken == self.wanted:
            return None
        self.taken = self.wanted
        return self.taken

    def call_off(self) -> int:
        self.taken = self.ask()
        return self.taken


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


def data_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)  # small pictures: speed counts, size does not
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def framed(
    picture: Image.Image | None, ckpt: Checkpoint, labels: dict[str, str], colour: bool
) -> torch.Tensor | None:
    """The drawing as the model sees it, (1, 3, R, R); None where nothing is drawn.

    With `colour`, a drawing that is only outlines is filled with colours typical of what it shows.
    """
    if picture is not None and colour:
        picture = colour_in(picture, ckpt.colours_of(labels))
    prepared = images.prepare(picture, ckpt.image_size) if picture else None
    return None if prepared is None or prepared.blank else prepared.x0


def paint(
    ckpt: Checkpoint,
    x0: torch.Tensor | None,
    labels: dict[str, str | None],
    strength: float,
    steps: int,
    guidance: float,
    seed: int,
    eta: float,
) -> Iterator[Step]:
    """Run the model on a framed drawing; without one it imagines a picture from pure noise."""
    yield from edit(
        ckpt,
        x0,
        labels,
        strength=1.0 if x0 is None else float(strength),
        num_inference_steps=int(steps),
        guidance_scale=float(guidance),
        eta=float(eta),
        generator=torch.Generator().manual_seed(int(seed)),
    )


def report(run: int, phase: str, say: str = "", **more) -> dict:
    """A message to assets/web/result.js."""
    return {"run": run, "phase": phase, "say": say, "nonce": random.random(), **more}


def ask(session: Session) -> dict:
    return report(session.ask(), "wait", "Getting ready...")


def call_off(session: Session) -> dict:
    return report(session.call_off(), "idle", "Stopped.")


def generate(
    checkpoints: dict[str, Checkpoint],
    session: Session,
    checkpoint: str,
    picture: dict | str,
    strength: float,
    steps: int,
    guidance: float,
    seed: int,
    eta: float,
    colour: bool,
    *chosen: str,
) -> Iterator[dict]:
    """Paint the drawing, one message for each step and one for the result."""
    run = session.take()
    if run is None:
        return
    ckpt = checkpoints[checkpoint]
    labels = {kind: name for kind, name in zip(ckpt.label_names, chosen) if name}
    try:
        x0 = framed(read_canvas(picture)[0], ckpt, labels, colour)
        if x0 is None:
            gr.Info(BLANK)
        with contextlib.closing(paint(ckpt, x0, labels, strength, steps, guidance, seed, eta)) as stream:
            yield from _messages(session, run, stream, x0 is None, int(seed), labels)
    except ValueError as error:  # ImageError, UnknownLabel and the like: one sentence for the person
        gr.Warning(str(error))
        yield report(run, "idle", str(error))
    except Exception as error:
        yield report(run, "idle", FAILED)
        raise gr.Error(FAILED) from error


def _messages(
    session: Session, run: int, stream: Iterator[Step], blank: bool, seed: int, labels: dict[str, str]
) -> Iterator[dict]:
    start = time.perf_counter()
    frames: list[torch.Tensor] = []
    step = None
    for step in stream:
        if session.wanted != run:
            break
        frames.append(step.x0)
        yield report(
            run,
            "run",
            f"Step {step.index} of {step.total}",
            start=run,
            progress=step.index / max(step.total, 1),
            x0=data_url(images.to_pil(step.x0)),
            x=data_url(images.to_pil(step.x)),
        )
    if session.wanted > session.taken:  # a newer run is waiting for this one to end
        return
    if not frames:
        yield report(session.wanted, "idle", "Stopped.")
        return
    session.frames = frames
    session.name = "-".join([*labels.values(), str(seed)]).replace(" ", "-")
    seconds = time.perf_counter() - start
    yield report(
        session.wanted,
        "done",
        summary(len(frames), step.total, seconds, seed, blank),
        start=run,
        progress=1,
        picture=data_url(images.to_pil(frames[-1], RESULT_SIDE)),
        name=session.name,
    )


def summary(done: int, total: int, seconds: float, seed: int, blank: bool) -> str:
    """The small print under a result."""
    if total == 0:
        return "Strength 0: this is your drawing as the network sees it."
    steps = f"{total} steps" if done == total else f"Stopped after {done} of {total} steps"
    text = f"{steps} in {seconds:.1f} s on the CPU, seed {seed}."
    return f"Pure imagination: {text}" if blank else text


def make_gif(session: Session) -> dict:
    if not session.frames:
        raise gr.Error(NOTHING_TO_SAVE)
    buffer = io.BytesIO()
    images.save_gif([images.to_pil(x, GIF_SIDE) for x in session.frames], buffer)
    url = "data:image/gif;base64," + base64.b64encode(buffer.getvalue()).decode()
    return {"gif": url, "nonce": random.random()}


# -------------------------------------------------------------------------------------------- components


def icon(paths: str) -> str:
    return (
        '<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8"'
        f' stroke-linecap="round" stroke-linejoin="round">{paths}</svg>'
    )


COLOURS = {
    "Black": "#22252b", "White": "#ffffff", "Red": "#e23b3b", "Orange": "#f58a1f", "Yellow": "#ffd02e",
    "Light green": "#8bc34a", "Green": "#2e8b45", "Light blue": "#63c5f2", "Blue": "#2a66d9",
    "Purple": "#8a4fc7", "Pink": "#f58fb6", "Peach": "#f5c79d", "Brown": "#8a5a36", "Grey": "#9aa1aa",
}  # fmt: skip
SIZES = {"Fine": 5, "Medium": 12, "Thick": 24, "Very thick": 48}  # brush width in pixels of the drawing
TOOLS = {
    "brush": ("Brush", '<path d="M4 20c3 0 4.5-1.5 4.5-3.5L19 5a1.7 1.7 0 0 0-2.5-2.3L6.5 14'
              'C4.5 14.5 5.5 18 4 20z"/>'),
    "fill": ("Fill with the colour", '<path d="M5 12l7-8 8 8-7 7a2 2 0 0 1-2.8 0L5 14.5a2 2 0 0 1 0-2.5z'
             'M5 12.5h14.5M21.5 16.5c1 1.8 1 3-.2 3s-1.2-1.2.2-3z"/>'),
    "eraser": ("Eraser", '<path d="M8 19l-4-4a2 2 0 0 1 0-2.8L12.2 4a2 2 0 0 1 2.8 0l5 5a2 2 0 0 1 0 2.8'
               'L12.8 19zM8 8.2l7.8 7.8M8 19h12"/>'),
}  # fmt: skip
ACTIONS = {
    "undo": ("Undo (Ctrl+Z)", '<path d="M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-4"/>'),
    "redo": ("Redo (Ctrl+Y)", '<path d="M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h4"/>'),
    "upload": ("Upload a picture", '<path d="M12 16V5M7.5 9.5L12 5l4.5 4.5M5 16v3h14v-3"/>'),
    "clear": ("Clear the canvas", '<path d="M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5"/>'),
}  # fmt: skip


def _canvas_markup() -> str:
    def button(attribute: str, label: str, inside: str = "", style: str = "") -> str:
        names = f'title="{label}" aria-label="{label}"'
        return f'<button type="button" {attribute} {names} style="{style}">{inside}</button>'

    tools = "".join(button(f'data-tool="{key}"', label, icon(d)) for key, (label, d) in TOOLS.items())
    sizes = "".join(
        button(f'data-width="{px}"', f"{label} brush", f'<i style="--dot:{4 + px * 0.3:.0f}px"></i>')
        for label, px in SIZES.items()
    )
    paints = "".join(button(f'data-paint="{c}"', name, style=f"--paint:{c}") for name, c in COLOURS.items())
    actions = "".join(button(f'data-do="{key}"', label, icon(d)) for key, (label, d) in ACTIONS.items())
    return f"""
<div class="doodle" data-size="{SIZES["Thick"]}" data-colour="{COLOURS["Red"]}"
     data-bad-file="That file is not a picture this browser can open.">
  <div class="tools" role="toolbar" aria-label="Drawing tools">
    <div class="group">{tools}<label class="custom" title="Any other colour">
      <input type="color" value="#14b8a6" aria-label="Any other colour"></label></div>
    <div class="group paints">{paints}</div>
    <div class="group sizes">{sizes}</div>
    <div class="group">{actions}</div>
  </div>
  <div class="paper blank">
    <canvas aria-label="Drawing canvas" role="img"></canvas>
    <div class="ring" hidden></div>
    <div class="hint"><b>Draw here</b><span>or drop, paste or upload a picture</span></div>
    <div class="note" role="status"></div>
  </div>
  <input type="file" accept="image/*" hidden aria-label="Upload a picture">
</div>"""


RESULT_MARKUP = """
<div class="result">
  <div class="frames">
    <figure><canvas class="clean" width="512" height="512" role="img" aria-label="The picture"></canvas>
      <figcaption>what the network sees in the noise</figcaption></figure>
    <figure class="noise"><canvas class="noisy" width="512" height="512" role="img"
      aria-label="The noisy picture"></canvas>
      <figcaption>the noisy picture so far</figcaption></figure>
    <div class="hint"><b>Your picture appears here</b>
      <span>press Generate when your drawing is ready</span></div>
    <div class="bar"><i></i></div>
  </div>
  <div class="foot">
    <input class="scrub" type="range" min="0" max="1" value="1" step="1" disabled
           aria-label="Look back at the steps" title="Look back at the steps">
    <label class="noise-switch"><input type="checkbox"> Show the noise</label>
  </div>
  <div class="say" role="status" aria-live="polite"></div>
  <div class="saves">
    <button type="button" data-do="reuse" title="Go on from this result">Use as drawing</button>
    <button type="button" data-do="png">Save picture</button>
    <button type="button" data-do="gif" title="Every step as an animation">Save GIF</button>
  </div>
</div>"""

EXAMPLES_MARKUP = """
<div class="examples" role="group" aria-label="Example drawings">
  {{#each value}}<button type="button" data-subject="{{this.subject}}" title="{{this.name}}">
    <img src="{{this.url}}" alt="{{this.name}}" draggable="false"></button>{{/each}}
</div>"""


# Plain functions: Gradio writes an app.pyi beside this file for every subclass of a component.


def doodle_canvas() -> gr.HTML:
    """A canvas to draw on; its value is what `read_canvas` reads, its event `stroke` follows every change."""
    return _component("canvas.js", _canvas_markup(), "", elem_id="canvas")


def result_view() -> gr.HTML:
    """Shows the frames of a run as they arrive; its value is the latest message (see `report`)."""
    return _component("result.js", RESULT_MARKUP, None, elem_id="view")


def example_row(drawings: list[dict]) -> gr.HTML:
    """Example drawings to click on; its value is a list of {subject, name, url}."""
    return _component("examples.js", EXAMPLES_MARKUP, drawings, elem_id="examples", visible=bool(drawings))


def _component(script: str, markup: str, value, **kwargs) -> gr.HTML:
    code = (WEB / script).read_text(encoding="utf-8")
    return gr.HTML(value, html_template=markup, js_on_load=code, apply_default_css=False, **kwargs)


# -------------------------------------------------------------------------------------------------- page


def build(folder: Path = CHECKPOINTS) -> gr.Blocks:
    """The whole page for the checkpoints in `folder`."""
    checkpoints, problems = find_checkpoints(Path(folder))
    with gr.Blocks(title=TITLE, fill_width=True) as demo:
        with gr.Column(elem_id="page"):
            with gr.Row(elem_id="header"):
                gr.HTML(f"<h1>{TITLE}</h1><p>{TAGLINE}</p>", elem_id="title")
                picker = gr.Dropdown(
                    list(checkpoints),
                    value=next(iter(checkpoints), None),
                    label="Model",
                    container=False,
                    visible=len(checkpoints) > 1,
                    elem_id="picker",
                )
            for problem in problems:
                gr.Markdown(problem, elem_classes="problem")
            if checkpoints:
                _workspace(checkpoints, picker)
            else:
                gr.Markdown(NO_MODEL, elem_id="no-model")
    return demo.queue(max_size=32)


def _workspace(checkpoints: dict[str, Checkpoint], picker: gr.Dropdown) -> None:
    """The two canvases, the controls and everything that happens between them."""
    first = next(iter(checkpoints.values()))
    drawings = example_drawings(first)
    count = max(len(ckpt.label_names) for ckpt in checkpoints.values())
    session = gr.State(Session())

    with gr.Column(elem_id="workspace"):
        with gr.Column(elem_id="drawing"):
            canvas = doodle_canvas()
            examples = example_row(drawings)
        with gr.Column(elem_id="painting"):
            view = result_view()
        with gr.Row(elem_id="controls"):
            with gr.Row(elem_id="labels"):
                selectors = _selectors(first, count)
            strength = gr.Slider(
                0, 1, 0.6, step=0.05, label="Strength", info="0 keeps your drawing, 1 ignores it",
                buttons=[], elem_id="strength",
            )  # fmt: skip
            with gr.Row(elem_id="buttons"):
                go = gr.Button("Generate", variant="primary", elem_id="generate")
                dice = gr.Button("Another", elem_id="dice")
                stop = gr.Button("Stop", variant="stop", elem_id="stop")
    with gr.Accordion("Advanced settings", open=False, elem_id="advanced"):
        with gr.Row():
            steps = gr.Slider(
                5, 50, 20, step=1, buttons=[], label="Steps", info="More take longer and look cleaner"
            )
            guidance = gr.Slider(
                1, 6, 2, step=0.1, buttons=[], label="Guidance", info="How much the words count, 1: off"
            )
            eta = gr.Slider(
                0, 1, 0, step=0.05, buttons=[], label="Eta", info="Fresh noise in each step, 0: none"
            )
            seed = gr.Number(
                7, precision=0, minimum=0, maximum=MAX_SEED, label="Seed",
                info="Same seed, same picture; Another picks a new one", elem_id="seed",
            )  # fmt: skip
            colour = gr.Checkbox(
                True, label="Colour in outlines", info="Fills a drawing that is only lines", elem_id="colour"
            )
    with gr.Accordion("How it works", open=False, elem_id="how"):
        how = gr.Markdown(how_it_works(first))

    settings = [strength, steps, guidance, seed, eta, colour]
    quick = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    busy = {"show_progress": "hidden", "trigger_mode": "multiple", "api_visibility": "private", **MODEL}
    painting = partial(generate, checkpoints)

    # `ask` is not queued: it tells the run that is going on to end before the new one takes its turn.
    again = {"fn": ask, "inputs": session, "outputs": view, "trigger_mode": "multiple", **quick}
    sources = [session, picker, canvas, *settings, *selectors]
    then = {"fn": painting, "inputs": sources, "outputs": view, **busy}
    go.click(**again).then(**then)
    dice.click(lambda: random.randint(0, MAX_SEED), outputs=seed, **quick).then(**again).then(**then)
    stop.click(call_off, session, view, **quick)
    view.gif(make_gif, session, view, show_progress="hidden", api_visibility="private")

    def choose(checkpoint: str, *chosen: str) -> list[dict]:
        return selector_updates(checkpoints[checkpoint], list(chosen), count)

    def choose_example(checkpoint: str, event: gr.EventData, *chosen: str) -> list[dict]:
        return choose(checkpoint, event.subject, *chosen[1:])

    def switch(checkpoint: str, *chosen: str) -> list:
        ckpt = checkpoints[checkpoint]
        shown = example_drawings(ckpt)
        return [*choose(checkpoint, *chosen), gr.update(value=shown, visible=bool(shown)), how_it_works(ckpt)]

    for selector in selectors[:-1]:  # each kind's choices depend on the kinds before it
        selector.input(choose, [picker, *selectors], selectors, **quick)
    examples.pick(choose_example, [picker, *selectors], selectors, **quick)
    picker.input(switch, [picker, *selectors], [*selectors, examples, how], **quick)
    _api(checkpoints, settings)


def _selectors(ckpt: Checkpoint, count: int) -> list[gr.Dropdown | gr.Radio]:
    """A searchable list for the first label kind, buttons for those that depend on it."""
    selectors: list[gr.Dropdown | gr.Radio] = []
    for i, update in enumerate(selector_updates(ckpt, FIRST, count)):
        kind = gr.Radio if i else gr.Dropdown
        update.pop("__type__")
        selectors.append(kind(**update, elem_id=f"label-{i}", min_width=160))
    return selectors


def how_it_works(ckpt: Checkpoint) -> str:
    text = HOW_IT_WORKS.format(size=ckpt.image_size)
    credits = [re.sub(r"\s+", " ", credit) for credit in ckpt.credits]
    if credits:
        text += "\n\nThe network was trained on:\n" + "\n".join(f"- {credit}" for credit in credits)
    return text


def _api(checkpoints: dict[str, Checkpoint], settings: list) -> None:
    """The endpoint for programs: a picture file in, the painted picture out."""

    def api(
        picture: str | None,
        subject: str,
        style: str,
        strength: float,
        steps: int,
        guidance: float,
        seed: int,
        eta: float,
        colour: bool,
        model: str,
    ) -> Image.Image:
        """Paint a drawing. An empty picture, style or model leaves the choice to the program."""
        ckpt = checkpoints.get(model) if model else next(iter(checkpoints.values()))
        if ckpt is None:
            raise gr.Error(f"There is no model {model!r}; there are: {', '.join(checkpoints)}.")
        labels = dict(zip(ckpt.label_names, [subject or None, style or None]))
        try:
            drawing = images.load(io.BytesIO(Path(picture).read_bytes())) if picture else None
            x0 = framed(drawing, ckpt, labels, colour)
            *_, last = paint(ckpt, x0, labels, strength, steps, guidance, seed, eta)
        except ValueError as error:
            raise gr.Error(str(error)) from error
        return images.to_pil(last.x0, RESULT_SIDE)

    picture = gr.File(visible=False, label="Picture")
    words = [gr.Textbox(visible=False, label=label) for label in ("Subject", "Style")]
    model = gr.Textbox(visible=False, label="Model")
    result = gr.Image(visible=False, label="Result", format="png")
    inputs = [picture, *words, *settings, model]
    gr.Button(visible=False).click(api, inputs, result, api_name="generate", **MODEL)


THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)
LAUNCH = {  # one place for the server's settings, so that the tests open the same page
    "theme": THEME,
    "css_paths": WEB / "page.css",
    "footer_links": ["api"],
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "max_file_size": "10mb",
}


def main() -> None:
    torch.set_num_threads(min(4, os.cpu_count() or 1))  # more do not help so small a network
    build().launch(**LAUNCH)


if __name__ == "__main__":
    main()

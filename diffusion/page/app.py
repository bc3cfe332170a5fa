"""The page: draw something, say what it is, and watch it being painted.

Layout, events and what a person reads, the endpoints for programs. What becomes of a drawing stands in
diffusion/studio.py, the lesson's text in diffusion/lesson_page.py, and how the page behaves in the browser in
assets/web/*.js. Run it with `python app.py`.
"""

from __future__ import annotations

import base64
import contextlib
import html
import importlib.util
import inspect
import io
import os
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # must be set before the import: no request to another host

import gradio as gr
import torch
from PIL import Image

from diffusion import images, lesson
from diffusion.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from diffusion.lineart import colour_in
from diffusion.page import lesson_page
from diffusion.page.studio import (
    MAX_SEED,
    PNG_KEY,
    RANGES,
    RESULT_SIDE,
    Drawing,
    Run,
    Session,
    Settings,
    ahead,
    data_url,
    framed,
    gif_bytes,
    go_on,
    in_model_thread,
    known_settings,
    paint,
    pretty,
    read_data_url,
    read_drawing,
    read_settings,
)
from diffusion.sampler import Step
from diffusion.schedule import NoiseSchedule
from diffusion.sdedit import StrengthSearch, edit_timesteps, first_state

HERE = Path(__file__).parents[2]
CHECKPOINTS = HERE / "checkpoints"
DRAWINGS = HERE / "assets" / "drawings"
WEB = HERE / "assets" / "web"

TITLE = "Doodle Diffusion"
CHANGED = "() => { window.dispatchEvent(new Event('doodle:changed')); }"
LIVE = "(on) => { document.body.dataset.live = on ? 'on' : ''; (" + CHANGED + ")(); }"
CONTROLS = ("strength", "steps", "guidance", "seed", "eta", "colour")  # as they stand in `_workspace`
MODEL = {"concurrency_id": "model", "concurrency_limit": 1}  # one picture at a time: it takes every core

# ------------------------------------------------------------------------------------------------- words

TAGLINE = "Draw something, say what it is, and watch a small neural network paint it."
NO_MODEL = """### There is no trained model yet
Put a checkpoint (a `.safetensors` file) into the `checkpoints` folder beside `app.py` and start again.
To train one on your own pictures, see `python -m diffusion.train --help`."""
HOW_IT_WORKS = """
Your drawing is shrunk to {size} x {size} pixels and covered with random noise: a little at a low strength, a
lot at a high one. A neural network then takes the noise away again, step by step, steered by the words you
chose: it follows your drawing where that can still be seen, and makes up the rest. Here are the parts of it,
one by one, on the drawing of the other tab; everything runs on the processor of this computer.
"""
FIRST = ["apple", "photo"]  # what the page opens with, where the checkpoint has it
TYPICAL = "Typical of {}"
QUESTIONS = {"subject": "What is it?", "class": "What is it?", "style": "How should it look?"}
BLANK = "Your canvas was empty, so this one is pure imagination. Draw something to steer it."
MORE_DRAWING = "More like my drawing"
VARIATIONS = [("1 picture", 1), ("4", 4), ("9", 9)]
FOUND_SETTINGS = "That picture brought its settings along; they are set again."
FAILED = "Something went wrong while painting, please try again."


# ------------------------------------------------------------------------------------------- checkpoints


def find_checkpoints(folder: Path) -> tuple[dict[str, Checkpoint], list[str]]:
    """Load a folder -> {file stem: checkpoint} and a sentence for each file that is no use.

    What paints the largest pictures comes first: it is what the page opens with.
    """
    found, problems = {}, []
    for path in sorted(folder.glob("*.safetensors")):
        try:
            found[path.stem] = in_model_thread(load_checkpoint, path)
        except CheckpointError as error:
            problems.append(str(error).replace(str(path), path.name))
    return dict(sorted(found.items(), key=lambda item: -item[1].image_size)), problems


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


def more_real(chosen: list[str | None]) -> str:
    """What the button says that turns the strength up: "More like an apple"."""
    name = next((name for name in chosen if name), None)
    if name is None:
        return "More real"
    name = name.replace("-", " ").replace("_", " ")
    return f"More like {'an' if name[0] in 'aeiou' else 'a'} {name}"


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


def typical_colours(ckpt: Checkpoint, *chosen: str | None) -> dict:
    """For the canvas: colours that things of the chosen name usually have, and what to call them."""
    if not ckpt.label_names or not chosen or not chosen[0]:
        return {"label": "", "colours": []}
    kind, name = next(iter(ckpt.label_names)), chosen[0]
    return {"label": TYPICAL.format(pretty(name).lower()), "colours": ckpt.colours_of({kind: name})}


# -------------------------------------------------------------------------------- one drawing, one run


def report(run: int, phase: str, say: str = "", **more) -> dict:
    """A message to assets/web/result.js."""
    return {"run": run, "phase": phase, "say": say, "nonce": random.random(), **more}


def ask(session: Session, count: int = 1, after: dict | None = None) -> tuple[dict, dict]:
    """A ticket for a new run, which ends the one that is going on, and a word for the person who waits."""
    run = session.ask()
    return {"run": run, "count": int(count), "after": after}, report(run, "wait", "Getting ready...")


def call_off(session: Session) -> dict:
    return report(session.call_off(), "idle", "Stopped.")


def settings_of(
    checkpoint: str,
    labels: dict[str, str],
    strength: float,
    steps: float,
    guidance: float,
    seed: float,
    eta: float,
    colour: bool,
) -> Settings:
    """The page's controls, whose numbers may come as int or float, in the order of CONTROLS."""
    return Settings(
        checkpoint, labels, float(strength), int(steps), float(guidance), float(eta), int(seed), bool(colour)
    )


def generate(
    checkpoints: dict[str, Checkpoint],
    session: Session,
    ticket: dict,
    checkpoint: str,
    canvas: dict | str,
    strength: float,
    steps: int,
    guidance: float,
    seed: int,
    eta: float,
    colour: bool,
    *chosen: str,
) -> Iterator[dict]:
    """Paint what the ticket asks for, one message for every few steps and one for the result."""
    number = ticket["run"]
    if not session.take(number):
        return
    ckpt = checkpoints[checkpoint]
    labels = {kind: name for kind, name in zip(ckpt.label_names, chosen) if name}
    settings = settings_of(checkpoint, labels, strength, steps, guidance, seed, eta, colour)
    try:
        if ticket["after"]:
            run, stream = go_on(session, ckpt, settings, **ticket["after"])
        else:
            run = Run(settings, read_drawing(canvas, ckpt, settings), [])
            stream = paint(ckpt, run.drawing, settings, ticket["count"])
            if run.drawing is None:
                gr.Info(BLANK)
        yield from _messages(session, number, run, stream)
    except ValueError as error:  # ImageError, UnknownLabel and the like: one sentence for the person
        gr.Warning(str(error))
        yield report(number, "idle", str(error))
    except Exception as error:
        yield report(number, "idle", FAILED)
        raise gr.Error(FAILED) from error


def frame(step: Step) -> dict:
    """One step for the page: pictures of a batch side by side."""
    say = f"Step {step.index} of {step.total}" if step.total else ""
    return {
        "say": say, "x0": data_url(images.side_by_side(step.x0)), "x": data_url(images.side_by_side(step.x))
    }  # fmt: skip


def _messages(session: Session, number: int, run: Run, stream: Iterator[Step]) -> Iterator[dict]:
    begun, kept = time.perf_counter(), len(run.steps)
    shape = {"start": number, "box": run.drawing.box if run.drawing else [0, 0, 1]}
    old = [frame(step) for step in run.steps]
    with contextlib.closing(ahead(stream, lambda: session.wanted == number)) as batches:
        for new in batches:
            if session.wanted != number:
                break
            run.steps += new
            frames, old = old + [frame(step) for step in new], []
            progress = new[-1].index / max(new[-1].total, 1)
            count = len(new[-1].x)
            yield report(
                number, "run", frames[-1]["say"], progress=progress, frames=frames, count=count, **shape
            )
    if session.wanted > session.taken:  # a newer run is waiting for this one to end
        return
    if len(run.steps) == kept:
        yield report(session.wanted, "idle", "Stopped.")
        return
    session.keep(number, run)
    seconds = time.perf_counter() - begun
    count = len(run.steps[-1].x)
    more = result(run.only(0), number, 0) if count == 1 else {}
    more["settings"] = asdict(run.settings)
    more["drawing"] = run.drawing.value if run.drawing else None
    yield report(session.wanted, "done", summary(run, seconds), progress=1, count=count, **shape, **more)


def result(run: Run, number: int, k: int) -> dict:
    """What the page needs to know of a finished picture."""
    return {
        "of": number,
        "k": k,
        "picture": data_url(run.picture(), run.settings),
        "name": run.settings.name,
        "settings": asdict(run.settings),
        "link": run.settings.to_query(),
    }


def _kept(session: Session, event: gr.EventData) -> Run:
    try:
        return session.kept(event.run, event.k)
    except ValueError as error:
        raise gr.Error(str(error)) from error


def choose_one(session: Session, event: gr.EventData) -> dict:
    """One of several pictures becomes the result."""
    run = _kept(session, event)
    say = f"Seed {run.settings.seed}."
    return report(session.wanted, "chosen", say, **result(run, event.run, event.k))


def summary(run: Run, seconds: float) -> str:
    """The small print under a result."""
    last, settings = run.steps[-1], run.settings
    if last.total == 0:
        return "Strength 0: this is your drawing as the network sees it."
    count = len(last.x)
    steps = (
        f"{last.total} steps"
        if last.index == last.total
        else f"Stopped after {last.index} of {last.total} steps"
    )
    seeds = f"seed {settings.seed}" if count == 1 else f"seeds {settings.seed} to {settings.seed + count - 1}"
    text = f"{steps} in {seconds:.1f} s on the CPU, {seeds}."
    text = f"Pure imagination: {text}" if run.drawing is None else text
    return f"{text} Click the one you like." if count > 1 else text


def make_gif(session: Session, event: gr.EventData) -> dict:
    return {"gif": gif_url(_kept(session, event)), "nonce": random.random()}


def gif_url(run: Run) -> str:
    return "data:image/gif;base64," + base64.b64encode(gif_bytes(run)).decode()


def search_strength(session: Session, strength: float, more_real: bool) -> float:
    """The next strength to try, between those that are still in question (see StrengthSearch).

    A strength that is not the one shown last was set by hand, and begins a new search.
    """
    search = session.search
    if search is None or round(search.shown, 2) != round(strength, 2):
        search = StrengthSearch.at(strength)
    session.search = search.more_real() if more_real else search.closer_to_drawing()
    return round(session.search.shown, 2)


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
    "brush": ("Brush (B)", '<path d="M4 20c3 0 4.5-1.5 4.5-3.5L19 5a1.7 1.7 0 0 0-2.5-2.3L6.5 14'
              'C4.5 14.5 5.5 18 4 20z"/>'),
    "fill": ("Fill with the colour (F)", '<path d="M5 12l7-8 8 8-7 7a2 2 0 0 1-2.8 0L5 14.5a2 2 0 0 1 0-2.5z'
             'M5 12.5h14.5M21.5 16.5c1 1.8 1 3-.2 3s-1.2-1.2.2-3z"/>'),
    "eraser": ("Eraser (E)", '<path d="M8 19l-4-4a2 2 0 0 1 0-2.8L12.2 4a2 2 0 0 1 2.8 0l5 5a2 2 0 0 1 0 2.8'
               'L12.8 19zM8 8.2l7.8 7.8M8 19h12"/>'),
    "keep": ("Keep this: mark what must stay as it is (K)",
             '<rect x="5" y="10.5" width="14" height="9.5" rx="2"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5"/>'),
}  # fmt: skip
ACTIONS = {
    "undo": ("Undo (Ctrl+Z)", '<path d="M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-4"/>'),
    "redo": ("Redo (Ctrl+Y)", '<path d="M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h4"/>'),
    "clear": ("Clear the canvas", '<path d="M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5"/>'),
}  # fmt: skip
SOURCES = {
    "upload": ("Upload a picture", '<path d="M12 16V5M7.5 9.5L12 5l4.5 4.5M5 16v3h14v-3"/>'),
    "camera": ("Take a picture with the camera",
               '<path d="M4 8h3.5L9 5.5h6L16.5 8H20a1 1 0 0 1 1 1v9.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9'
               'a1 1 0 0 1 1-1z"/><circle cx="12" cy="13.5" r="3.5"/>'),
}  # fmt: skip


KEEP = "Keep this"
CANVAS = (
    "Drawing canvas: draw with the mouse, a pen or a finger. Keys: B brush, F fill, E eraser, K keep,"
    " [ and ] for the width, Ctrl+Z to undo."
)


def _canvas_markup() -> str:
    def button(attribute: str, label: str, inside: str = "", style: str = "") -> str:
        names = f'title="{label}" aria-label="{label}"'
        return f'<button type="button" {attribute} {names} style="{style}">{inside}</button>'

    words = {"keep": KEEP}  # the one tool that nobody would guess from a picture has its name on it
    tools = "".join(
        button(f'data-tool="{key}"', label, icon(d) + words.get(key, "")) for key, (label, d) in TOOLS.items()
    )
    sizes = "".join(
        button(f'data-width="{px}"', f"{label} brush", f'<i style="--dot:{4 + px * 0.3:.0f}px"></i>')
        for label, px in SIZES.items()
    )
    paints = "".join(button(f'data-paint="{c}"', name, style=f"--paint:{c}") for name, c in COLOURS.items())
    actions, sources = (
        "".join(button(f'data-do="{key}"', label, icon(d)) for key, (label, d) in group.items())
        for group in (ACTIONS, SOURCES)
    )
    return f"""
<div class="doodle" data-size="{SIZES["Thick"]}" data-colour="{COLOURS["Red"]}"
     data-bad-file="That file is not a picture this browser can open."
     data-no-camera="There is no camera that this page could use."
     data-camera-refused="The camera was not allowed; the browser can change that beside the address.">
  <div class="tools" role="toolbar" aria-label="Drawing tools">
    <div class="group pens">{tools}</div>
    <div class="group paints">{paints}<label class="custom" title="Any other colour">
      <input type="color" value="#14b8a6" aria-label="Any other colour"></label></div>
    <div class="group paints typical" role="group" hidden><span></span></div>
    <div class="group sizes">{sizes}</div>
    <div class="group actions">{actions}</div>
    <div class="group sources">{sources}</div>
  </div>
  <div class="paper blank">
    <canvas class="paint" aria-label="{CANVAS}" role="img"></canvas>
    <canvas class="keep" aria-hidden="true"></canvas>
    <div class="ring" hidden></div>
    <div class="hint"><b>Draw here</b><span>or drop, paste or upload a picture</span></div>
    <div class="tip" role="status">Paint over what must stay as it is; the eraser takes the marks off.</div>
    <div class="camera" role="dialog" aria-label="Camera" hidden>
      <video autoplay muted playsinline></video>
      <button type="button" data-do="snap">Take picture</button>
      <button type="button" data-do="cancel">Cancel</button>
    </div>
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
    <div class="cells" data-say="Choose picture"></div>
    <div class="bar"><i></i></div>
    <label class="noise-switch"><input type="checkbox"> Show the noise</label>
    <button type="button" class="all" data-do="all" hidden>Back to all</button>
  </div>
  <div class="film">
    <div class="strip" aria-hidden="true"></div>
    <input class="scrub" type="range" min="0" max="1" value="1" step="1" disabled
           aria-label="Look back at the steps" title="Look back at the steps">
  </div>
  <div class="say" role="status" aria-live="polite"></div>
  <div class="saves">
    <button type="button" data-do="reuse" title="Go on from this picture">Use as drawing</button>
    <button type="button" data-do="resume" data-say="Go back to an earlier step first, with the slider above"
      title="Denoise on from the step shown, with the words, guidance, eta and seed chosen now">Continue from
      here</button>
    <button type="button" data-do="png" title="The settings travel inside the file">Save</button>
    <button type="button" data-do="gif"
      title="Save an animation: the drawing, the noise, the picture">GIF</button>
    <button type="button" data-do="link"
      data-say="The link is copied: it opens this page with these settings."
      title="Copy a link to this page with these settings, but without the drawing">Copy link</button>
  </div>
</div>"""

EXAMPLES_MARKUP = """
<div class="examples" role="group" aria-label="Example drawings">
  {{#each value}}<button type="button" data-subject="{{this.subject}}" title="{{this.name}}">
    <img src="{{this.url}}" alt="{{this.name}}" draggable="false"></button>{{/each}}
</div>"""


KEYBOARD = """<p>Keyboard: <kbd>Enter</kbd> generate, <kbd>Esc</kbd> stop, <kbd>1</kbd> to <kbd>9</kbd> how it
should look, <kbd>B</kbd> brush, <kbd>F</kbd> fill, <kbd>E</kbd> eraser, <kbd>K</kbd> keep,
<kbd>Ctrl</kbd>+<kbd>Z</kbd> undo</p>"""

GALLERY_MARKUP = f"""
<div class="gallery" data-key="{PNG_KEY}" data-name="Picture">
  <div class="switch">
    <button type="button" data-row="examples" aria-pressed="true">Examples</button>
    <button type="button" data-row="mine" aria-pressed="false"
      title="The pictures made since this page was opened">My pictures <span class="count"></span></button>
  </div>
  <div class="mine" role="group" aria-label="My pictures">
    <p>Every picture you make waits here, with its steps, its drawing and its settings.</p>
  </div>
</div>"""


# Plain functions: Gradio writes an app.pyi beside this file for every subclass of a component.


def doodle_canvas(typical: dict | None = None) -> gr.HTML:
    """A canvas to draw on; its value is what `read_canvas` reads, its event `stroke` follows every change.

    The property `typical` (see `typical_colours`) can be set anew without touching what is drawn.
    """
    scripts = ["canvas.js", "tools.js", "pictures.js", "camera.js"]
    return _component(scripts, _canvas_markup(), "", elem_id="canvas", typical=typical or {})


def result_view() -> gr.HTML:
    """Shows the frames of a run as they arrive; its value is the latest message (see `report`)."""
    return _component(["result.js"], RESULT_MARKUP, None, elem_id="view")


def example_row(drawings: list[dict]) -> gr.HTML:
    """Example drawings to click on; its value is a list of {subject, name, url}."""
    return _component(["examples.js"], EXAMPLES_MARKUP, drawings, elem_id="examples", visible=bool(drawings))


def gallery_row() -> gr.HTML:
    """The pictures made since the page was opened, kept in the browser.

    Its events ask to set the controls again: `restore` with the settings of one of them, `found` with the
    text that a file brought along.
    """
    return _component(["gallery.js"], GALLERY_MARKUP, None, elem_id="gallery")


def keyboard_line() -> gr.HTML:
    """Says which keys the page knows, and listens for them."""
    return _component(["keys.js"], KEYBOARD, None, elem_id="keyboard")


def _component(scripts: list[str], markup: str, value, **kwargs) -> gr.HTML:
    code = "\n".join((WEB / script).read_text(encoding="utf-8") for script in scripts)
    return gr.HTML(value, html_template=markup, js_on_load=code, apply_default_css=False, **kwargs)


# ------------------------------------------------------------------------------------------------ lesson


def look(
    checkpoints: dict[str, Checkpoint],
    checkpoint: str,
    canvas: dict | str | None,
    strength: float,
    steps: int,
    guidance: float,
    seed: int,
    eta: float,
    colour: bool,
    *chosen: str,
) -> lesson_page.Example:
    """What the first tab holds now; an example drawing takes the place of a blank canvas."""
    ckpt = checkpoints[checkpoint]
    labels = dict(zip(ckpt.label_names, [value for _, value in settle(ckpt, list(chosen))]))
    settings = settings_of(checkpoint, labels, strength, steps, guidance, seed or 0, eta, colour)
    try:
        drawing = read_drawing(canvas, ckpt, settings)
    except images.ImageError as error:
        gr.Warning(str(error))
        drawing = None
    prepared = drawing.prepared if drawing else framed(_stand_in(ckpt, labels), ckpt, labels, colour)
    return lesson_page.Example(settings, canvas if drawing else "", prepared.x0.numpy())


def _stand_in(ckpt: Checkpoint, labels: dict[str, str]) -> Image.Image:
    """The example drawing of the chosen subject, or of an apple."""
    urls = {drawing["subject"]: drawing["url"] for drawing in reversed(example_drawings(ckpt))}
    url = urls.get(next(iter(labels.values()), ""))
    return read_data_url(url) or images.load(DRAWINGS / "apple.png")


def _lesson(checkpoints: dict[str, Checkpoint], tab: gr.Tab, sources: list) -> None:
    """The second tab: the method on the drawing of the first.

    Args:
        sources: the first tab's components, as `look` takes them: model, canvas, six settings, selectors.
    """
    picker, canvas, settings = sources[0], sources[1], sources[2:8]
    first = next(iter(checkpoints.values()))
    last = max(ckpt.schedule.num_train_timesteps for ckpt in checkpoints.values()) - 1
    start = look(checkpoints, *(source.value for source in sources))
    example = gr.State(start)

    def words(text: str, **kwargs) -> gr.Markdown:
        return gr.Markdown(text, latex_delimiters=lesson_page.INLINE_LATEX, **kwargs)

    def pictures(elem_id: str, value: str = "") -> gr.HTML:
        return gr.HTML(value, elem_id=elem_id, elem_classes="shown", apply_default_css=False)

    with gr.Column(elem_id="lesson"):
        how = gr.Markdown(how_it_works(first), elem_id="how")
        with gr.Column(elem_id="time"):
            t = gr.Slider(
                0, last, round(0.6 * last), step=1, buttons=[],
                label="Timestep t", info=lesson_page.TIME_INFO.format(last=last),
            )  # fmt: skip
        with gr.Column(elem_classes="part"):
            words(lesson_page.NOISING)
            noising_equation, noising = words("", elem_id="noising-equation"), pictures("noising")
        with gr.Column(elem_classes="part"):
            words(lesson_page.SCHEDULE)
            plot = pictures("schedule")
        with gr.Column(elem_classes="part"):
            words(lesson_page.STEP)
            step_equation, step = words("", elem_id="step-equation"), pictures("step")
        with gr.Column(elem_classes="part"):
            words(lesson_page.DIALS)
            compare = gr.Button(lesson_page.COMPARE, variant="primary", elem_id="compare")
            dials = pictures("dials", lesson_page.dials_html(start))
        credits = gr.Markdown(credits_of(first), elem_id="credits")

    def open_lesson(old: lesson_page.Example, *values) -> tuple:
        new = look(checkpoints, *values)
        return new, gr.skip() if new == old else lesson_page.dials_html(new)

    def switch(old: lesson_page.Example, checkpoint: str, *values) -> tuple:
        # Not the selectors: the first tab is giving them other choices at this very moment.
        new = look(checkpoints, checkpoint, *values, *old.settings.labels.values())
        ckpt = checkpoints[checkpoint]
        return new, lesson_page.dials_html(new), how_it_works(ckpt), credits_of(ckpt)

    quick = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    painting = {"show_progress": "hidden", "api_visibility": "private", **MODEL}
    noised = {"fn": partial(lesson_page.explain_noising, checkpoints), "inputs": [example, t],
              "outputs": [noising_equation, noising, plot]}  # fmt: skip
    stepped = {"fn": partial(lesson_page.explain_step, checkpoints), "inputs": [example, t],
               "outputs": [step_equation, step]}  # fmt: skip
    opened = tab.select(open_lesson, [example, *sources], [example, dials], **quick)
    switched = picker.input(
        switch, [example, picker, canvas, *settings], [example, dials, how, credits], **quick
    )
    for event in (opened, switched):
        event.then(**noised, **quick).then(**stepped, **painting)
    t.input(**noised, trigger_mode="always_last", **quick)
    t.input(**stepped, trigger_mode="always_last", **painting)
    compare.click(
        partial(lesson_page.explain_dials, checkpoints), example, dials, trigger_mode="once", **painting
    )


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
                with gr.Tabs(elem_id="tabs"):
                    with gr.Tab("Draw"):
                        sources = _workspace(demo, checkpoints, picker)
                    with gr.Tab("How it works") as tab:
                        _lesson(checkpoints, tab, sources)
            else:
                gr.Markdown(NO_MODEL, elem_id="no-model")
    return demo.queue(max_size=32)


def _workspace(demo: gr.Blocks, checkpoints: dict[str, Checkpoint], picker: gr.Dropdown) -> list:
    """The two canvases, the controls and everything that happens between them.

    Returns:
        The components that say what to paint: model, canvas, settings, labels.
    """
    first = next(iter(checkpoints.values()))
    drawings = example_drawings(first)
    count = max(len(ckpt.label_names) for ckpt in checkpoints.values())
    session = gr.State(Session())
    ticket = gr.JSON({"run": 0}, visible="hidden")

    with gr.Column(elem_id="workspace"):
        with gr.Column(elem_id="drawing"):
            canvas = doodle_canvas(typical_colours(first, *(name for _, name in settle(first, FIRST))))
            gallery = gallery_row()
            examples = example_row(drawings)
        with gr.Column(elem_id="painting"):
            view = result_view()
        with gr.Row(elem_id="controls"):
            with gr.Row(elem_id="labels"):
                selectors = _selectors(first, count)
            with gr.Column(elem_id="dial"):
                strength = gr.Slider(
                    *RANGES["strength"], 0.6, step=0.01, buttons=[], label="Strength",
                    info="0 keeps your drawing, 1 ignores it", elem_id="strength",
                )  # fmt: skip
                with gr.Row(elem_id="search"):
                    less = gr.Button(MORE_DRAWING, size="sm", elem_id="less")
                    more = gr.Button(more_real([s.value for s in selectors]), size="sm", elem_id="more")
            with gr.Column(elem_id="actions"):
                with gr.Row(elem_id="buttons"):
                    go = gr.Button("Generate", variant="primary", elem_id="generate")
                    dice = gr.Button("Another", elem_id="dice")
                    stop = gr.Button("Stop", variant="stop", elem_id="stop")
                with gr.Row(elem_id="ways"):
                    live = gr.Checkbox(False, label="Live", container=False, elem_id="live", min_width=60)
                    pictures = gr.Radio(
                        VARIATIONS,
                        value=1,
                        show_label=False,
                        container=False,
                        elem_id="pictures",
                        min_width=60,
                    )
    with gr.Accordion("Advanced settings", open=False, elem_id="advanced"):
        with gr.Row():
            steps = gr.Slider(
                *RANGES["steps"],
                20,
                step=1,
                buttons=[],
                label="Steps",
                info="More take longer and look cleaner",
            )
            guidance = gr.Slider(
                *RANGES["guidance"],
                2,
                step=0.1,
                buttons=[],
                label="Guidance",
                info="How much the words count, 1: off",
            )
            eta = gr.Slider(
                *RANGES["eta"],
                0,
                step=0.05,
                buttons=[],
                label="Eta",
                info="Fresh noise in each step, 0: none",
            )
            seed = gr.Number(
                7, precision=0, minimum=0, maximum=MAX_SEED, label="Seed",
                info="Same seed, same picture; Another picks a new one", elem_id="seed",
            )  # fmt: skip
            colour = gr.Checkbox(
                True, label="Colour in outlines", info="Fills a drawing that is only lines", elem_id="colour"
            )
    keyboard_line()

    settings = [strength, steps, guidance, seed, eta, colour]
    quick = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
    each = {"trigger_mode": "multiple", **quick}
    busy = {"show_progress": "hidden", "trigger_mode": "multiple", "api_visibility": "private", **MODEL}

    # Asking is not queued: it tells the run that is going on to end before the new one takes its turn.
    sources = [picker, canvas, *settings, *selectors]
    then = {
        "fn": partial(generate, checkpoints),
        "inputs": [session, ticket, *sources],
        "outputs": view,
        **busy,
    }
    many = {"fn": ask, "inputs": [session, pictures], "outputs": [ticket, view], **each}
    one = {"fn": ask, "inputs": session, "outputs": [ticket, view], **each}
    go.click(**many).then(**then)
    dice.click(lambda: random.randint(0, MAX_SEED - 8), outputs=seed, **quick).then(**many).then(**then)
    stop.click(call_off, session, view, **quick)
    for button, is_more in ((less, False), (more, True)):
        halve = partial(search_strength, more_real=is_more)
        button.click(halve, [session, strength], strength, **each).then(**one).then(**then)

    def ask_from(session: Session, event: gr.EventData) -> tuple[dict, dict]:
        return ask(session, after={"run": event.run, "k": event.k, "step": event.step})

    view.redraw(**one).then(**then)
    view.resume(ask_from, session, [ticket, view], **each).then(**then)
    view.choose(choose_one, session, view, **each)
    view.gif(make_gif, session, view, show_progress="hidden", api_visibility="private")

    def choose(checkpoint: str, *chosen: str) -> list:
        """What follows from the words chosen: the words on offer, a button's, and the colours on offer."""
        ckpt = checkpoints[checkpoint]
        updates = selector_updates(ckpt, list(chosen), count)
        values = [update["value"] for update in updates]
        return [*updates, more_real(values), gr.HTML(typical=typical_colours(ckpt, *values))]

    def choose_example(checkpoint: str, event: gr.EventData, *chosen: str) -> list:
        return choose(checkpoint, event.subject, *chosen[1:])

    def switch(checkpoint: str, *chosen: str) -> list:
        ckpt = checkpoints[checkpoint]
        shown = example_drawings(ckpt)
        return [*choose(checkpoint, *chosen), gr.update(value=shown, visible=bool(shown))]

    # What changed is told to result.js, which asks for a new run where Live is on.
    tell = {"fn": None, "js": CHANGED, **quick}
    words = [*selectors, more, canvas]
    chosen = [picker, *selectors]
    # A list may send its event twice, and the answer to the first may have ruled out the second's words:
    # Gradio would show that as an error, `settle` sorts it out.
    unchecked = {**quick, "preprocess": False}
    leading = max(
        1, count - 1
    )  # the choices of each kind depend on the kinds before it, colours on the first
    for selector in selectors[:leading]:
        selector.input(choose, chosen, words, **unchecked).then(**tell)
    for selector in selectors[leading:]:
        selector.input(**tell)
    examples.pick(choose_example, chosen, words, **unchecked).then(**tell)
    picker.input(switch, chosen, [*words, examples], **unchecked).then(**tell)

    def restore(wishes: Mapping, checkpoint: str, *chosen: str) -> list:
        """Set the controls again to what is known of the wishes; nothing known changes nothing."""
        found = known_settings(wishes, checkpoints, checkpoint)
        if not found:
            return [gr.skip()] * len(controls)
        model = found.get("model", checkpoint)
        labels = dict(zip(checkpoints[checkpoint].label_names, chosen)) | found.get("labels", {})
        words = [labels.get(kind) for kind in checkpoints[model].label_names]
        numbers = [gr.update(value=found[key]) if key in found else gr.skip() for key in CONTROLS]
        return [model, *switch(model, *words), *numbers]

    def restore_own(checkpoint: str, event: gr.EventData, *chosen: str) -> list:
        return restore(event.settings, checkpoint, *chosen)

    def restore_found(checkpoint: str, event: gr.EventData, *chosen: str) -> list:
        wishes = read_settings(event.text)
        if wishes:
            gr.Info(FOUND_SETTINGS)
        return restore(wishes, checkpoint, *chosen)

    def restore_link(checkpoint: str, request: gr.Request, *chosen: str) -> list:
        return restore(dict(request.query_params), checkpoint, *chosen)

    controls = [picker, *words, examples, *settings]
    gallery.restore(restore_own, chosen, controls, **unchecked)
    gallery.found(restore_found, chosen, controls, **unchecked).then(**tell)
    demo.load(restore_link, chosen, controls, **unchecked)

    canvas.stroke(**tell)
    for slider in (strength, steps, guidance, eta):
        slider.release(**tell)
    for box in (seed, colour):
        box.input(**tell)
    live.change(None, live, js=LIVE, **quick)
    _api(checkpoints, settings)
    return sources


def _selectors(ckpt: Checkpoint, count: int) -> list[gr.Dropdown | gr.Radio]:
    """A searchable list for the first label kind, buttons for those that depend on it."""
    selectors: list[gr.Dropdown | gr.Radio] = []
    for i, update in enumerate(selector_updates(ckpt, FIRST, count)):
        kind = gr.Radio if i else gr.Dropdown
        update.pop("__type__")
        selectors.append(kind(**update, elem_id=f"label-{i}", min_width=160))
    return selectors


def how_it_works(ckpt: Checkpoint) -> str:
    return HOW_IT_WORKS.format(size=ckpt.image_size)


def credits_of(ckpt: Checkpoint) -> str:
    credits = [re.sub(r"\s+", " ", credit) for credit in ckpt.credits]
    return "The network was trained on:\n" + "\n".join(f"- {credit}" for credit in credits) if credits else ""


PARAMETERS = {  # of the endpoints for programs, in the order they take them
    "picture": "The drawing, a picture file; without one the model imagines from pure noise.",
    "subject": "What it should be, a name from /labels; empty leaves it to the model.",
    "style": "How it should look, a name from /labels; empty leaves it to the model.",
    "strength": "0 keeps the drawing, 1 ignores it.",
    "steps": "How many steps a run of strength 1 takes.",
    "guidance": "How much the words count, 1 is off.",
    "seed": "The same seed gives the same picture.",
    "eta": "Fresh noise in each step: 0 none (DDIM), 1 as much as DDPM.",
    "colour": "Colour in a drawing that is only outlines.",
    "model": "A name from /labels; empty takes the first.",
    "keep": "A mask of the drawing's shape: what is black in it stays as it is. May be left out.",
    "count": "How many pictures, 1 to 9; their seeds count up.",
}
DEFAULTS = {
    "picture": None, "subject": "", "style": "", "strength": 0.6, "steps": 20, "guidance": 2.0, "seed": 7,
    "eta": 0.0, "colour": True, "model": "", "keep": None, "count": 4,
}  # fmt: skip
MANY = "Ask for 1 to 9 pictures, not {}."
NO_DRAWING = "This needs a drawing, and there is none in the picture."


@dataclass(frozen=True)
class Request:
    """What a program asks for."""

    ckpt: Checkpoint
    settings: Settings
    drawing: Drawing | None

    def run(self, count: int = 1) -> Iterator[Run]:
        """The run of `count` seeds after each of its steps."""
        run = Run(self.settings, self.drawing, [])
        with contextlib.closing(ahead(paint(self.ckpt, self.drawing, self.settings, count))) as batches:
            for step in chain.from_iterable(batches):
                run.steps.append(step)
                yield run


def read_request(
    checkpoints: dict[str, Checkpoint],
    *,
    picture: str | None = None,
    keep: str | None = None,
    subject: str | None = None,
    style: str | None = None,
    model: str | None = None,
    count: float = 1,
    **numbers,
) -> Request:
    """Arguments of an endpoint -> what they ask for.

    Raises:
        ValueError: an unknown name, or a file that is no picture.
    """
    model = model or next(iter(checkpoints))
    if model not in checkpoints:
        raise ValueError(f"There is no model {model!r}; there are: {', '.join(checkpoints)}.")
    ckpt = checkpoints[model]
    labels = {kind: name for kind, name in zip(ckpt.label_names, (subject, style)) if name}
    numbers = {key: numbers.get(key, DEFAULTS[key]) for key in CONTROLS}
    settings = Settings(model, labels, **numbers | {key: int(numbers[key] or 0) for key in ("steps", "seed")})
    shown, mask = (
        images.load(io.BytesIO(Path(file).read_bytes())) if file else None for file in (picture, keep)
    )
    prepared = framed(shown, ckpt, labels, settings.colour)
    return Request(ckpt, settings, Drawing(shown, mask, prepared) if prepared else None)


def api_generate(request: Request) -> Iterator[Image.Image]:
    """Paint a drawing.

    Sends the picture after every step, small, and last the result: 512 x 512 pixels that show the object as
    large as it goes, or with a mask the whole drawing in its own size.
    """
    for run in request.run():
        yield images.to_pil(run.steps[-1].x0)
    masked = request.drawing and request.drawing.keep
    yield run.picture() if masked else images.to_pil(run.steps[-1].x0, RESULT_SIDE)


def api_variations(request: Request, count: float) -> list[Image.Image]:
    """Paint a drawing several times, with seeds that count up from the one given."""
    if not 1 <= count <= 9:
        raise ValueError(MANY.format(f"{count:g}"))
    *_, run = request.run(int(count))
    return [images.to_pil(x0, RESULT_SIDE) for x0 in run.steps[-1].x0]


def api_animation(request: Request) -> str:
    """Paint a drawing and write a GIF of it: the drawing, the noise, the picture."""
    *_, run = request.run()
    path = Path(tempfile.mkdtemp()) / f"{request.settings.name or 'picture'}.gif"
    path.write_bytes(gif_bytes(run))
    return str(path)


def api_colour_in(request: Request) -> Image.Image:
    """Fill the areas of an outline drawing with colours typical of what it shows, as before painting."""
    return colour_in(_drawing_of(request).picture, request.ckpt.colours_of(request.settings.labels))


def api_add_noise(request: Request) -> Image.Image:
    """Cover a drawing with the noise that a run of this strength and seed begins with."""
    x0 = _drawing_of(request).prepared.x0
    return images.to_pil(in_model_thread(_noised, x0, request.settings, request.ckpt.schedule), RESULT_SIDE)


def _noised(x0: torch.Tensor, settings: Settings, schedule: NoiseSchedule) -> torch.Tensor:
    timesteps = edit_timesteps(settings.strength, 1, schedule.num_train_timesteps)
    if not timesteps:
        return x0
    noise = lesson.seeded_noise(x0, settings.seed)
    return first_state(schedule, x0, noise, settings.strength, timesteps[0])


def _drawing_of(request: Request) -> Drawing:
    if request.drawing is None:
        raise ValueError(NO_DRAWING)
    return request.drawing


def _api(checkpoints: dict[str, Checkpoint], settings: list) -> None:
    """The endpoints for programs, which are tools for assistants too where the mcp package is installed."""
    files = {name: gr.File(visible=False, label=pretty(name)) for name in ("picture", "keep")}
    words = {
        name: gr.Textbox("", visible=False, label=pretty(name)) for name in ("subject", "style", "model")
    }
    count = gr.Number(4, visible=False, precision=0, label="Count")
    inputs = {**files, **words, **dict(zip(CONTROLS, settings)), "count": count}
    picture = gr.Image(visible=False, label="Result", format="png")
    painting = [name for name in PARAMETERS if name != "count"]

    def offer(work: Callable, result: gr.components.Component, names: Sequence[str], extra=()) -> None:
        fn = _endpoint(checkpoints, work, [*names, *extra], extra)
        parts = [inputs[name] for name in [*names, *extra]]
        gr.Button(visible=False).click(fn, parts, result, api_name=fn.__name__, **MODEL)

    offer(api_generate, picture, painting)
    offer(api_variations, gr.Gallery(visible=False, label="Results", format="png"), painting, ["count"])
    offer(api_animation, gr.File(visible=False, label="Animation"), painting)
    offer(api_colour_in, picture, ["picture", "subject", "style", "model"])
    offer(api_add_noise, picture, ["picture", "subject", "style", "strength", "seed", "colour", "model"])

    def labels() -> dict:
        """List the models, the names that each knows (kind by kind), and the pairs of them it has seen."""
        return {
            name: {"labels": ckpt.label_names, "pairs": [list(pair) for pair in ckpt.pairs]}
            for name, ckpt in checkpoints.items()
        }

    known = gr.JSON(visible=False, label="Labels")
    gr.Button(visible=False).click(labels, None, known, api_name="labels", queue=False)


def _endpoint(checkpoints: dict[str, Checkpoint], work: Callable, names: list[str], extra=()) -> Callable:
    """A function for Gradio with these parameters, documented, that answers a bad request with a sentence."""

    def answer(*values):
        given = dict(zip(names, values))
        try:
            request = read_request(checkpoints, **given)
            return work(request, *(given[name] for name in extra))
        except ValueError as error:
            raise gr.Error(str(error)) from error

    def stream(*values):
        try:
            yield from answer(*values)
        except ValueError as error:
            raise gr.Error(str(error)) from error

    fn = stream if inspect.isgeneratorfunction(work) else answer
    fn.__name__ = work.__name__.removeprefix("api_")
    parameter = inspect.Parameter
    fn.__signature__ = inspect.Signature(
        [parameter(name, parameter.POSITIONAL_OR_KEYWORD, default=DEFAULTS[name]) for name in names]
    )
    lines = [f"    {name}: {PARAMETERS[name]}" for name in names]
    fn.__doc__ = "\n".join([inspect.getdoc(work), "", "Args:", *lines])
    return fn


THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)
PREVIEW = "https://huggingface.co/spaces/{}/resolve/main/assets/app.png"  # in a Space, by its name


def head() -> str:
    """Tags for link previews, besides Gradio's own title; the picture has an address only on a Space."""
    tags = [f'<meta name="description" content="{TAGLINE}">']
    if space := os.environ.get("SPACE_ID"):
        tags.append(f'<meta property="og:image" content="{html.escape(PREVIEW.format(space))}">')
    return "\n".join(tags)


LAUNCH = {  # one place for the server's settings, so that the tests open the same page
    "theme": THEME,
    "css_paths": [WEB / "page.css", WEB / "lesson.css", WEB / "share.css"],
    "favicon_path": WEB / "favicon.png",
    "head": head(),
    "footer_links": ["api"],
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "max_file_size": "10mb",
    "mcp_server": importlib.util.find_spec("mcp") is not None,  # from the extra gradio[mcp]
}


def main() -> None:
    torch.set_num_threads(min(4, os.cpu_count() or 1))  # more do not help so small a network
    build().launch(**LAUNCH)


if __name__ == "__main__":
    main()

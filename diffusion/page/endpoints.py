"""The endpoints for programs; they are tools for assistants too where the mcp package is installed.

Their names, parameters and descriptions are those of the functions below. A parameter that is None is its
default.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import torch
from gradio.utils import get_upload_folder
from PIL import Image

from .. import images, lesson
from ..checkpoint import Checkpoint
from ..lineart import colour_in as fill_outlines
from ..sampler import USUAL
from ..schedule import NoiseSchedule
from ..sdedit import edit_timesteps, first_state
from .connect import MODEL, UNCHECKED
from .controls import Controls
from .filling import Filling, filling_inputs
from .handlers import in_a_sentence
from .request import File, Request
from .session import RESULT_SIDE
from .settings import DEFAULTS, Settings, read_count
from .worker import in_model_thread


def _noised(x0: torch.Tensor, settings: Settings, schedule: NoiseSchedule) -> torch.Tensor:
    timesteps = edit_timesteps(settings.strength, 1, schedule.num_train_timesteps)
    if not timesteps:
        return x0
    noise = lesson.seeded_noise(x0, settings.seed)
    return first_state(schedule, x0, noise, settings.strength, timesteps[0])


class Endpoints:
    """The functions that programs call, for the checkpoints of one page."""

    def __init__(self, checkpoints: dict[str, Checkpoint]) -> None:
        self.checkpoints = checkpoints

    @in_a_sentence
    def generate(
        self,
        picture: File | None = None,
        subject: str = "",
        style: str = "",
        strength: float = DEFAULTS.strength,
        steps: int = DEFAULTS.steps,
        guidance: float = DEFAULTS.guidance,
        seed: int = DEFAULTS.seed,
        eta: float = DEFAULTS.eta,
        colour: bool = DEFAULTS.colour,
        model: str = "",
        keep: File | None = None,
        temperature: float = DEFAULTS.temperature,
        solver: str = "",
        steering: float = DEFAULTS.steering,
    ) -> Iterator[Image.Image]:
        """Paint a drawing.

        Sends the picture after every step, small, and last the result: 512 x 512 pixels that show the object
        as large as it goes, or with a mask the whole drawing in its own size.

        Args:
            picture: The drawing, a picture file; without one the model imagines from pure noise.
            subject: What it should be, a name from /labels; empty leaves it to the model.
            style: How it should look, a name from /labels; empty leaves it to the model.
            strength: 0 keeps the drawing as it is, 1 repaints all of it.
            steps: How many steps a run of strength 1 takes.
            guidance: How much the words count, 1 is off.
            seed: The same seed gives the same picture.
            eta: Fresh noise in each step: 0 none (DDIM), 1 as much as DDPM.
            colour: Colour in a drawing that is only outlines.
            model: A name from /labels; empty takes the first.
            keep: A mask of the drawing's shape: what is black in it stays as it is. May be left out.
            temperature: How much the noise says of whole areas: low is true to the drawing.
            solver: ddim, ddpm, heun or dpm++; empty takes dpm++, and where there is an eta ddim.
            steering: How much a classifier steers towards the words, where the model has one; 0 is off.
        """
        request = Request.read(
            self.checkpoints, picture, keep, subject, style, model, strength=strength, steps=steps,
            guidance=guidance, seed=seed, eta=eta, temperature=temperature, colour=colour, solver=solver,
            steering=steering,
        )  # fmt: skip
        for run in request.run():
            yield images.to_pil(run.seen(run.steps[-1]).x0)
        masked = request.drawing and request.drawing.keep
        yield run.picture() if masked else images.to_pil(run.steps[-1].x0, RESULT_SIDE)

    @in_a_sentence
    def variations(
        self,
        picture: File | None = None,
        subject: str = "",
        style: str = "",
        strength: float = DEFAULTS.strength,
        steps: int = DEFAULTS.steps,
        guidance: float = DEFAULTS.guidance,
        seed: int = DEFAULTS.seed,
        eta: float = DEFAULTS.eta,
        colour: bool = DEFAULTS.colour,
        model: str = "",
        keep: File | None = None,
        count: int = 4,
        temperature: float = DEFAULTS.temperature,
        solver: str = "",
        steering: float = DEFAULTS.steering,
    ) -> list[Image.Image]:
        """Paint a drawing several times, with seeds that count up from the one given.

        Args:
            picture: The drawing, a picture file; without one the model imagines from pure noise.
            subject: What it should be, a name from /labels; empty leaves it to the model.
            style: How it should look, a name from /labels; empty leaves it to the model.
            strength: 0 keeps the drawing as it is, 1 repaints all of it.
            steps: How many steps a run of strength 1 takes.
            guidance: How much the words count, 1 is off.
            seed: The same seed gives the same picture.
            eta: Fresh noise in each step: 0 none (DDIM), 1 as much as DDPM.
            colour: Colour in a drawing that is only outlines.
            model: A name from /labels; empty takes the first.
            keep: A mask of the drawing's shape: what is black in it stays as it is. May be left out.
            count: How many pictures, 1 to 9; their seeds count up.
            temperature: How much the noise says of whole areas: low is true to the drawing.
            solver: ddim, ddpm, heun or dpm++; empty takes dpm++, and where there is an eta ddim.
            steering: How much a classifier steers towards the words, where the model has one; 0 is off.
        """
        count = read_count(count, default=4)
        request = Request.read(
            self.checkpoints, picture, keep, subject, style, model, strength=strength, steps=steps,
            guidance=guidance, seed=seed, eta=eta, temperature=temperature, colour=colour, solver=solver,
            steering=steering,
        )  # fmt: skip
        *_, run = request.run(count)
        return [images.to_pil(x0, RESULT_SIDE) for x0 in run.steps[-1].x0]

    @in_a_sentence
    def animation(
        self,
        picture: File | None = None,
        subject: str = "",
        style: str = "",
        strength: float = DEFAULTS.strength,
        steps: int = DEFAULTS.steps,
        guidance: float = DEFAULTS.guidance,
        seed: int = DEFAULTS.seed,
        eta: float = DEFAULTS.eta,
        colour: bool = DEFAULTS.colour,
        model: str = "",
        keep: File | None = None,
        temperature: float = DEFAULTS.temperature,
        solver: str = "",
        steering: float = DEFAULTS.steering,
    ) -> str:
        """Paint a drawing and write a GIF of it: the drawing, the noise, the picture.

        Args:
            picture: The drawing, a picture file; without one the model imagines from pure noise.
            subject: What it should be, a name from /labels; empty leaves it to the model.
            style: How it should look, a name from /labels; empty leaves it to the model.
            strength: 0 keeps the drawing as it is, 1 repaints all of it.
            steps: How many steps a run of strength 1 takes.
            guidance: How much the words count, 1 is off.
            seed: The same seed gives the same picture.
            eta: Fresh noise in each step: 0 none (DDIM), 1 as much as DDPM.
            colour: Colour in a drawing that is only outlines.
            model: A name from /labels; empty takes the first.
            keep: A mask of the drawing's shape: what is black in it stays as it is. May be left out.
            temperature: How much the noise says of whole areas: low is true to the drawing.
            solver: ddim, ddpm, heun or dpm++; empty takes dpm++, and where there is an eta ddim.
            steering: How much a classifier steers towards the words, where the model has one; 0 is off.
        """
        request = Request.read(
            self.checkpoints, picture, keep, subject, style, model, strength=strength, steps=steps,
            guidance=guidance, seed=seed, eta=eta, temperature=temperature, colour=colour, solver=solver,
            steering=steering,
        )  # fmt: skip
        *_, run = request.run()
        path = Path(tempfile.mkdtemp(dir=get_upload_folder())) / f"{request.settings.name or 'picture'}.gif"
        path.write_bytes(run.gif())
        return str(path)

    @in_a_sentence
    def enlarge(
        self,
        picture: File | None = None,
        strength: float = 0.0,
        steps: int = USUAL.steps,
        seed: int = DEFAULTS.seed,
        model: str = "",
        keep: File | None = None,
    ) -> Image.Image:
        """Make a picture with few pixels larger: 512 pixels on the longer side, the same shape.

        Args:
            picture: A picture file of 16 pixels or more; one with many pixels loses its detail first.
            strength: 0 enlarges the picture as it is, a low one such as 0.1 mends a damaged one before.
            steps: How many steps a run of strength 1 takes.
            seed: The same seed gives the same picture.
            model: A name from /labels, of a model with an upscaler; empty takes the first.
            keep: A mask of the picture's shape: what is black in it is not repainted. May be left out.
        """
        request = Request.read(
            self.checkpoints, picture, keep, "", "", model, strength=strength, steps=steps, seed=seed,
            enlarge=True,
        )  # fmt: skip
        *_, run = request.run()
        return run.picture()

    @in_a_sentence
    def colour_in(
        self, picture: File | None = None, subject: str = "", style: str = "", model: str = ""
    ) -> Image.Image:
        """Fill the areas of an outline drawing with colours typical of what it shows, as before painting.

        Args:
            picture: The drawing, a picture file.
            subject: What it should be, a name from /labels; empty leaves it to the model.
            style: How it should look, a name from /labels; empty leaves it to the model.
            model: A name from /labels; empty takes the first.
        """
        request = Request.read(self.checkpoints, picture, None, subject, style, model)
        colours = request.checkpoint.colours_of({**request.settings.labels})
        return fill_outlines(request.needed_drawing().picture, colours)

    @in_a_sentence
    def add_noise(
        self,
        picture: File | None = None,
        subject: str = "",
        style: str = "",
        strength: float = DEFAULTS.strength,
        seed: int = DEFAULTS.seed,
        colour: bool = DEFAULTS.colour,
        model: str = "",
    ) -> Image.Image:
        """Cover a drawing with the noise that a run of this strength and seed begins with.

        Args:
            picture: The drawing, a picture file.
            subject: What it should be, a name from /labels; empty leaves it to the model.
            style: How it should look, a name from /labels; empty leaves it to the model.
            strength: 0 keeps the drawing as it is, 1 repaints all of it.
            seed: The same seed gives the same picture.
            colour: Colour in a drawing that is only outlines.
            model: A name from /labels; empty takes the first.
        """
        request = Request.read(
            self.checkpoints, picture, None, subject, style, model, strength=strength, seed=seed,
            colour=colour,
        )  # fmt: skip
        x0 = request.needed_drawing().prepared.x0
        noised = in_model_thread(_noised, x0, request.settings, request.checkpoint.schedule)
        return images.to_pil(noised, RESULT_SIDE)

    def labels(self) -> dict:
        """List the models, the names that each knows (kind by kind), and the pairs of them it has seen."""
        return {
            name: {"labels": checkpoint.label_names, "pairs": [list(pair) for pair in checkpoint.pairs]}
            for name, checkpoint in self.checkpoints.items()
        }


def connect_endpoints(controls: Controls) -> None:
    """Offer them, each behind a button that nobody sees."""
    endpoints = Endpoints(controls.checkpoints)
    inputs: dict[str, gr.components.Component]
    inputs = {name: gr.File(visible=False, label=name.capitalize()) for name in ("picture", "keep")}
    for name in ("subject", "style", "model"):
        inputs[name] = gr.Textbox("", visible=False, label=name.capitalize())
    inputs |= {**controls.dials, "count": gr.Number(4, visible=False, precision=0, label="Count")}
    inputs["solver"] = gr.Textbox("", visible=False, label="Solver")
    picture = gr.Image(visible=False, label="Result", format="png")

    def offer(endpoint: Callable, result: gr.components.Component, **own: gr.components.Component) -> None:
        parts = [{**inputs, **own}[name] for name in inspect.signature(endpoint).parameters]
        event = gr.Button(visible=False).click
        event(endpoint, parts, result, api_name=endpoint.__name__, **UNCHECKED, **MODEL)

    offer(endpoints.generate, picture)
    offer(endpoints.variations, gr.Gallery(visible=False, label="Results", format="png"))
    offer(endpoints.animation, gr.File(visible=False, label="Animation"))
    if any(checkpoint.enlarges for checkpoint in controls.checkpoints.values()):
        offer(endpoints.enlarge, picture, strength=gr.Number(0, visible=False, label="Strength"))
    offer(Filling(controls.checkpoints).fill, picture, **filling_inputs())
    offer(endpoints.colour_in, picture)
    offer(endpoints.add_noise, picture)
    known = gr.JSON(visible=False, label="Labels")
    gr.Button(visible=False).click(endpoints.labels, None, known, api_name="labels", queue=False)

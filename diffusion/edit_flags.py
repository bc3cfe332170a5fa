"""The flags of `python -m diffusion`: what to read, how to sample, what to write."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .checkpoint import Checkpoint, load_checkpoint
from .errors import DoodleError
from .folders import files_in
from .kinds import COLOURED, OUTLINE, PHOTO, STRENGTHS
from .machine import PRECISIONS
from .options import Parser, number
from .sampler import SOLVERS, USUAL
from .solver import VARIANCES
from .timesteps import SPACINGS

# suffix -> Pillow's format and options; the lossless ones keep masked pixels exactly
OUT_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".webp": ("WEBP", {"lossless": True}),
    ".jpg": ("JPEG", {"quality": 95}),
    ".jpeg": ("JPEG", {"quality": 95}),
    ".bmp": ("BMP", {}),
    ".tiff": ("TIFF", {}),
}


def _find_checkpoint(argv: Sequence[str]) -> Path:
    """The file of --checkpoint, or else the only one in ./checkpoints."""
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--checkpoint", type=Path)
    given = parser.parse_known_args(argv)[0].checkpoint
    if given is not None:
        return given
    found = files_in(Path("checkpoints"), ".safetensors")
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "nothing"
        raise DoodleError(f"Choose a checkpoint with --checkpoint FILE; checkpoints/ holds {names}.")
    return found[0]


def _parser(label_names: dict[str, list[str]] | None) -> argparse.ArgumentParser:
    """The options; every label kind of the checkpoint becomes a flag of its own (None: not known yet)."""
    parser = Parser(
        prog="python -m diffusion",
        description="Turn a drawing into a picture: noise it part of the way, then denoise it (SDEdit).",
        allow_abbrev=False,
    )
    parser.add_argument("input", metavar="IN", help="the drawing, or - for a picture from pure noise")
    parser.add_argument(
        "output", metavar="OUT", type=Path, help=f"the picture; its suffix is one of {' '.join(OUT_FORMATS)}"
    )
    parser.add_argument(
        "--checkpoint", metavar="FILE", type=Path, help="the model (default: the only file in checkpoints/)"
    )
    _add_sampling(parser)
    _add_constraints(parser)
    _add_guidance(parser)
    _add_solver(parser)
    _add_machine(parser)
    _add_pictures(parser)
    _add_labels(parser, label_names)
    return parser


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    """How much noise, how many steps, and the seed."""
    parser.add_argument(
        "--strength",
        type=number(float, 0, 1),
        metavar="0..1",
        help="how much noise: 0 returns the drawing, 1 repaints all of it"
        f" (default: {STRENGTHS[COLOURED]:g}; {STRENGTHS[OUTLINE]:g} for outlines, if the model is told the"
        f" drawing; {STRENGTHS[PHOTO]:g} for photos; 1 where IN is -; 0 with --enlarge)",
    )
    parser.add_argument(
        "--steps",
        type=number(int, 1),
        default=USUAL.steps,
        metavar="N",
        help="denoising steps of a run of strength 1, fewer below (default: %(default)s)",
    )
    parser.add_argument(
        "--temperature",
        type=number(float, 0, 1),
        default=USUAL.temperature,
        metavar="0..1",
        help="how much the noise says of whole areas where the model is told the drawing: low is calm and"
        " true to it, 1 brings surprises (default: %(default)g)",
    )
    parser.add_argument(
        "--seed",
        type=number(int, 0, 2**63 - 1),
        default=0,
        metavar="N",
        help="same seed, same picture (default: 0)",
    )


def _add_constraints(parser: argparse.ArgumentParser) -> None:
    """What of the drawing must stay while the rest is painted."""
    parser.add_argument(
        "--resample",
        type=number(int, 1, 100),
        default=USUAL.resample,
        metavar="R",
        help="with --mask, --outpaint or --low-pass: take every step R times, so that what is new fits what"
        " is kept (RePaint; default: %(default)s)",
    )
    parser.add_argument(
        "--jump",
        type=number(int, 1),
        default=USUAL.jump,
        metavar="J",
        help="with --resample: go back over J steps at once (default: %(default)s)",
    )
    parser.add_argument(
        "--low-pass",
        type=number(int, 0, 512),
        default=USUAL.low_pass,
        metavar="N",
        help="averages over N x N of the model's pixels stay those of IN, only detail is new (ILVR)",
    )


def _add_guidance(parser: argparse.ArgumentParser) -> None:
    """How far it is steered by the labels."""
    parser.add_argument(
        "--guidance",
        type=number(float, 0),
        default=USUAL.guidance,
        metavar="W",
        help="how strongly the labels pull, 1 = no extra pull (default: %(default)g)",
    )
    parser.add_argument(
        "--classifier",
        metavar="FILE",
        type=Path,
        help="a classifier that steers towards the labels, made by diffusion.evaluate.judge (default: the one"
        " in the folder guide beside the checkpoint, if any)",
    )
    parser.add_argument(
        "--steering",
        type=number(float, 0),
        default=USUAL.steering,
        metavar="S",
        help="how strongly, 0: not at all (default: %(default)g)",
    )
    parser.add_argument(
        "--steered-below",
        type=number(float, 0, 1),
        default=USUAL.steered_below,
        metavar="0..1",
        help="where: at less than this share of the noise levels (default: %(default)g)",
    )


def _add_solver(parser: argparse.ArgumentParser) -> None:
    """How it gets from one step to the next."""
    parser.add_argument(
        "--eta",
        type=number(float, 0, 1),
        default=USUAL.eta,
        metavar="0..1",
        help="fresh noise: 0 DDIM, 1 DDPM (default: %(default)g)",
    )
    parser.add_argument(
        "--solver",
        choices=tuple(SOLVERS),
        default=USUAL.solver,
        help="ddim, which is Euler on a straight path; ddpm: ancestral, ddim with eta 1;"
        " heun: of second order, two calls a step;"
        " dpm++: DPM-Solver++(2M), of second order, one call a step (default: ddim)",
    )
    parser.add_argument(
        "--spacing",
        choices=tuple(SPACINGS),
        default=USUAL.spacing,
        help="which timesteps the steps are (default: trailing, evenly from the first)",
    )
    parser.add_argument(
        "--variance",
        choices=VARIANCES,
        default=USUAL.variance,
        help="of the fresh noise of ddpm, or of an eta above 0: DDPM's two choices;"
        " auto: what the network has learnt, or else small (default: auto)",
    )


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--precision",
        choices=("auto", *PRECISIONS),
        default="auto",
        help="of the arithmetic, which changes a seed's picture a little; auto: the faster one here",
    )


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    """How the drawing is read, and what is written besides OUT."""
    parser.add_argument(
        "--size",
        type=number(int, 8, 4096),
        metavar="PIXELS",
        help="longer side of OUT (default: as IN; 512 where IN is -; with --enlarge what the upscaler makes)"
        " and of the frames (default: 512)",
    )
    parser.add_argument(
        "--enlarge",
        action="store_true",
        help="IN is no drawing but a picture with few pixels: make more of them, without words;"
        " strength 0 does nothing else, a low one such as 0.1 mends a damaged picture first",
    )
    parser.add_argument(
        "--keep-outlines",
        action="store_true",
        help="never colour in outlines (a model that is told the drawing gets them as they are anyway)",
    )
    parser.add_argument("--mask", metavar="FILE", help="white may change, black is kept pixel for pixel")
    parser.add_argument(
        "--outpaint",
        nargs=4,
        type=number(float, 0, 2),
        metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"),
        help="paint around IN, which is kept: how much wider, in shares of its longer side"
        " (strength is 1 unless given)",
    )
    parser.add_argument("--frames", metavar="DIR", type=Path, help="write 00.png (the drawing), 01.png, ...")
    parser.add_argument("--gif", metavar="FILE", type=Path, help="write the predicted picture of every step")


def _add_labels(parser: argparse.ArgumentParser, label_names: dict[str, list[str]] | None) -> None:
    labels = parser.add_argument_group("labels", "what it should be; a label left out is up to the model")
    if label_names is None:
        labels.add_argument("--KIND", metavar="NAME", help="one flag for each label kind of the checkpoint")
    for kind, names in (label_names or {}).items():
        text = f"one of {len(names)}: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
        labels.add_argument(f"--{kind}", metavar="NAME", dest=f"label {kind}", help=text.replace("%", "%%"))


def parse_edit(argv: Sequence[str]) -> tuple[argparse.Namespace, Checkpoint, dict[str, str | None]]:
    """Arguments, checkpoint, labels. The checkpoint is read first: the label flags depend on it."""
    try:
        checkpoint = load_checkpoint(_find_checkpoint(argv))
    except DoodleError:
        if {"-h", "--help"} & set(argv):
            _parser(None).parse_args(["--help"])
        raise
    args, unknown = _parser(checkpoint.label_names).parse_known_args(argv)
    if unknown:
        flags = ", ".join(f"--{kind}" for kind in checkpoint.label_names) or "no labels"
        raise DoodleError(f"Unknown argument {unknown[0]!r}; this checkpoint has {flags}.")
    return args, checkpoint, {kind: getattr(args, f"label {kind}") for kind in checkpoint.label_names}

"""The command line of SDEdit, the app's twin: `python -m diffusion IN OUT ...`.

Reading arguments, reading and writing files; the picture is made by `edit`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor

from . import images
from .checkpoint import Checkpoint, load_checkpoint
from .enlarge import prepare_whole
from .errors import DoodleError
from .files import FileError, whole
from .lineart import colour_in
from .machine import PRECISIONS, chosen_precision
from .options import Parser, command, number
from .sampler import USUAL, Sampling, Step
from .sdedit import edit

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
    found = sorted(Path("checkpoints").glob("*.safetensors"))
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
    _add_machine(parser)
    _add_pictures(parser)
    _add_labels(parser, label_names)
    return parser


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    """The fields of `Sampling`, and the seed."""
    parser.add_argument(
        "--strength",
        type=number(float, 0, 1),
        metavar="0..1",
        help="how much noise: 0 returns the drawing, 1 repaints all of it"
        f" (default: {USUAL.strength}; 1 where IN is -; 0 with --enlarge)",
    )
    parser.add_argument(
        "--steps",
        type=number(int, 1),
        default=USUAL.steps,
        metavar="N",
        help="denoising steps of a run of strength 1, fewer below (default: %(default)s)",
    )
    parser.add_argument(
        "--guidance",
        type=number(float, 0),
        default=USUAL.guidance,
        metavar="W",
        help="how strongly the labels pull, 1 = no extra pull (default: %(default)g)",
    )
    parser.add_argument(
        "--eta",
        type=number(float, 0, 1),
        default=USUAL.eta,
        metavar="0..1",
        help="fresh noise: 0 DDIM, 1 DDPM (default: %(default)g)",
    )
    parser.add_argument(
        "--seed",
        type=number(int, 0, 2**63 - 1),
        default=0,
        metavar="N",
        help="same seed, same picture (default: 0)",
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
    parser.add_argument("--frames", metavar="DIR", type=Path, help="write 00.png (the drawing), 01.png, ...")
    parser.add_argument("--gif", metavar="FILE", type=Path, help="write the predicted picture of every step")


def _add_labels(parser: argparse.ArgumentParser, label_names: dict[str, list[str]] | None) -> None:
    labels = parser.add_argument_group("labels", "what it should be; a label left out is up to the model")
    if label_names is None:
        labels.add_argument("--KIND", metavar="NAME", help="one flag for each label kind of the checkpoint")
    for kind, names in (label_names or {}).items():
        text = f"one of {len(names)}: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"
        labels.add_argument(f"--{kind}", metavar="NAME", dest=f"label {kind}", help=text.replace("%", "%%"))


def _parse(argv: Sequence[str]) -> tuple[argparse.Namespace, Checkpoint, dict[str, str | None]]:
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


def _check_outputs(args: argparse.Namespace) -> None:
    """Refuse what cannot be written before any time is spent on the picture."""
    if args.output.suffix.lower() not in OUT_FORMATS:
        raise DoodleError(f"Cannot write {args.output}: its name must end in one of {' '.join(OUT_FORMATS)}.")
    for path in (args.output, args.gif):
        if path is None:
            continue
        if not path.parent.is_dir():
            raise DoodleError(f"Cannot write {path}: there is no folder {path.parent}.")
        if path.is_dir():
            raise DoodleError(f"Cannot write {path}: it is a folder.")
    if args.frames is not None:
        try:
            args.frames.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"Cannot write {args.frames}: {error.strerror}.") from error


def _save(picture: Image.Image, path: Path) -> None:
    """A picture in the format of its suffix."""
    format, options = OUT_FORMATS[path.suffix.lower()]
    with whole(path) as partial:
        picture.save(partial, format=format, **options)


@dataclass(frozen=True)
class _Drawing:
    """What IN and --mask hold.

    Attributes:
        original: as it was read, or at --size.
        prepared: coloured in, as the model sees it.
        mask: white may change.
    """

    original: Image.Image
    prepared: images.Prepared
    mask: Image.Image | None

    def stand(self, painted: Image.Image) -> Image.Image:
        """What was painted, where the drawing stood."""
        return images.paste_back(painted, self.prepared, self.original, self.mask)


def _read(args: argparse.Namespace, checkpoint: Checkpoint, labels: dict[str, str | None]) -> _Drawing | None:
    """The drawing; None where IN is -: there is only noise."""
    if args.input == "-":
        if args.strength not in (None, 1):
            raise DoodleError("Where IN is -, there is only noise: strength is 1, so leave --strength out.")
        if args.mask or args.enlarge:
            what = "A mask needs a drawing to keep" if args.mask else "To enlarge takes a picture"
            raise DoodleError(f"{what}, and IN is -.")
        return None
    original = images.flatten(images.load(args.input))
    mask = images.load(args.mask) if args.mask else None
    if args.enlarge:
        prepared = prepare_whole(original, checkpoint)
        side = args.size or checkpoint.image_size * checkpoint.codec.factor
        prepared = prepared.resized(max(1, round(side * original.width / max(original.size))))
        return _Drawing(original.resize(prepared.original_size, Image.Resampling.LANCZOS), prepared, mask)
    if args.size:
        original = ImageOps.contain(original, (args.size, args.size), Image.Resampling.LANCZOS)
    as_it_is = args.keep_outlines or checkpoint.takes_lines
    coloured = original if as_it_is else colour_in(original, checkpoint.colours_of(labels))
    prepared = images.prepare(coloured, checkpoint.image_size)
    if prepared.blank:
        print(f"{args.input} is blank: the picture will come from the noise alone.", file=sys.stderr)
    return _Drawing(original, prepared, mask)


def _denoise(
    args: argparse.Namespace,
    checkpoint: Checkpoint,
    labels: dict[str, str | None],
    drawing: _Drawing | None,
) -> list[Step]:
    strength = args.strength if args.strength is not None else 0.0 if args.enlarge else USUAL.strength
    sampling = Sampling(strength if drawing else 1.0, args.steps, args.guidance, args.eta)
    x0 = mask = None
    if drawing:
        x0 = checkpoint.codec.encode(drawing.prepared.x0)
        if drawing.mask:
            mask = images.prepare_mask(drawing.mask, drawing.prepared, checkpoint.image_size)
    generator = torch.Generator().manual_seed(args.seed)
    checkpoint = checkpoint.computing(chosen_precision(args.precision))
    return list(edit(checkpoint, x0, labels, sampling, generator, mask=mask))


def _run(args: argparse.Namespace, checkpoint: Checkpoint, labels: dict[str, str | None]) -> int:
    """From the parsed arguments to the files; returns the number of steps done."""
    _check_outputs(args)
    drawing = _read(args, checkpoint, labels)
    steps = _denoise(args, checkpoint, labels, drawing)
    side, result = args.size or 512, checkpoint.codec.decode(steps[-1].x)
    shown = [step.x0 for step in steps[:-1]] + [result]

    def frame(x0: Tensor) -> Image.Image:
        seen = images.to_pil(x0, side)
        return drawing.stand(seen) if drawing and args.enlarge else seen

    if args.frames is not None:
        seen = [drawing.prepared.x0 if drawing else torch.ones_like(steps[0].x)]
        seen += shown if steps[-1].total else []
        digits = max(2, len(str(len(seen) - 1)))
        for i, x0 in enumerate(seen):
            _save(frame(x0), args.frames / f"{i:0{digits}}.png")
    if args.gif is not None:
        with whole(args.gif) as partial:
            images.save_gif([frame(x0) for x0 in shown], partial)
    picture = images.to_pil(result, args.size if drawing else side)
    _save(drawing.stand(picture) if drawing else picture, args.output)
    return steps[-1].total


@command("sdedit")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd files; errors still come as sentences
        args, checkpoint, labels = _parse(sys.argv[1:] if argv is None else argv)
        count = _run(args, checkpoint, labels)
    print(f"{args.output}: {count} steps")


if __name__ == "__main__":
    sys.exit(main())

"""The command line of SDEdit, the app's twin: `python -m diffusion IN OUT ...`.

Reading arguments, reading and writing files; the picture is made by `edit`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch import Tensor

from . import images
from .checkpoint import Checkpoint
from .classifier import load_classifier
from .edit_flags import OUT_FORMATS, parse_edit
from .enlarge import prepare_whole
from .errors import DoodleError
from .files import FileError, whole
from .guide import check_steers
from .kinds import STRENGTHS, kind_for
from .lineart import colour_in
from .machine import chosen_precision
from .options import command
from .outpaint import widened
from .sampler import Sampling, Step
from .sdedit import edit


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
        if args.mask or args.enlarge or args.outpaint:
            what = "A mask needs a drawing to keep" if args.mask else "To make it larger takes a picture"
            raise DoodleError(f"{what}, and IN is -.")
        return None
    original = images.flatten(images.load(args.input))
    mask = images.load(args.mask) if args.mask else None
    if args.enlarge:
        prepared = prepare_whole(original, checkpoint)
        side = args.size or checkpoint.image_size * checkpoint.codec.factor
        prepared = prepared.resized(max(1, round(side * original.width / max(original.size))))
        return _Drawing(original.resize(prepared.original_size, Image.Resampling.LANCZOS), prepared, mask)
    if args.outpaint:
        original, mask = widened(original, args.outpaint, mask)
        return _Drawing(original, images.prepare(original, checkpoint.drawing_size, frame=False), mask)
    if args.size:
        original = ImageOps.contain(original, (args.size, args.size), Image.Resampling.LANCZOS)
    as_it_is = args.keep_outlines or checkpoint.takes_lines
    coloured = original if as_it_is else colour_in(original, checkpoint.colours_of(labels))
    prepared = images.prepare(coloured, checkpoint.drawing_size)
    if prepared.blank:
        print(f"{args.input} is blank: the picture will come from the noise alone.", file=sys.stderr)
    return _Drawing(original, prepared, mask)


def _steered(args: argparse.Namespace, checkpoint: Checkpoint, labels: dict[str, str | None]) -> Checkpoint:
    """With the guide of --classifier in place of its own."""
    if args.classifier is None:
        return checkpoint
    if not any(labels.values()):
        raise DoodleError("A classifier steers towards labels: say what it should be.")
    classifier = load_classifier(args.classifier)
    check_steers(classifier, checkpoint)
    return replace(checkpoint, guide=classifier)


def _usual_strength(args: argparse.Namespace, checkpoint: Checkpoint, drawing: _Drawing | None) -> float:
    """Where --strength is not given."""
    if args.enlarge:
        return 0.0
    if args.outpaint or drawing is None:
        return 1.0
    return STRENGTHS[kind_for(drawing.original, checkpoint.takes_lines)]


def _denoise(
    args: argparse.Namespace,
    checkpoint: Checkpoint,
    labels: dict[str, str | None],
    drawing: _Drawing | None,
) -> list[Step]:
    strength = _usual_strength(args, checkpoint, drawing) if args.strength is None else args.strength
    dials = (
        "steps", "guidance", "steering", "steered_below", "eta", "solver", "spacing", "variance",
        "temperature", "resample", "jump", "low_pass",
    )  # fmt: skip
    chosen = {name: getattr(args, name) for name in dials}
    checkpoint = _steered(args, checkpoint, labels)
    # The white around it would be told as paper, and stay white.
    told = not args.outpaint
    sampling = Sampling(strength if drawing else 1.0, told=told, **chosen)
    x0 = mask = None
    if drawing:
        x0 = checkpoint.codec.encode(drawing.prepared.x0)
        if drawing.mask:
            mask = images.prepare_mask(drawing.mask, drawing.prepared, checkpoint.image_size)
            if not mask.any():
                print(f"{args.mask} keeps everything: nothing in it is nearer to white.", file=sys.stderr)
    generator = torch.Generator().manual_seed(args.seed)
    checkpoint = checkpoint.computing(chosen_precision(args.precision))
    return list(edit(checkpoint, x0, labels, sampling, generator, mask=mask))


def _run(args: argparse.Namespace, checkpoint: Checkpoint, labels: dict[str, str | None]) -> int:
    """From the parsed arguments to the files; returns the number of steps done."""
    _check_outputs(args)
    drawing = _read(args, checkpoint, labels)
    steps = _denoise(args, checkpoint, labels, drawing)
    side, result = args.size or 512, checkpoint.codec.decode(steps[-1].x)
    shown = [checkpoint.codec.preview(step.x0) for step in steps[:-1]] + [result]

    def frame(x0: Tensor) -> Image.Image:
        seen = images.to_pil(x0, side)
        return drawing.stand(seen) if drawing and args.enlarge else seen

    if args.frames is not None:
        seen = [drawing.prepared.x0 if drawing else torch.ones_like(shown[0])]
        seen += shown if steps[-1].total else []
        digits = max(2, len(str(len(seen) - 1)))
        for i, x0 in enumerate(seen):
            _save(frame(x0), args.frames / f"{i:0{digits}}.png")
        _remove_frames(args.frames, len(seen), digits)
    if args.gif is not None:
        with whole(args.gif) as partial:
            images.save_gif([frame(x0) for x0 in shown], partial)
    picture = images.to_pil(result, args.size if drawing else side)
    _save(drawing.stand(picture) if drawing else picture, args.output)
    return steps[-1].total


def _remove_frames(folder: Path, count: int, digits: int) -> None:
    """Take away what a longer run left behind this one's frames, or under numbers of another width."""
    for width in range(2, 6):
        i = count if width == digits else 0
        while (path := folder / f"{i:0{width}}.png").exists() and len(path.stem) == width:
            path.unlink()
            i += 1


@command("sdedit")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd files; errors still come as sentences
        args, checkpoint, labels = parse_edit(sys.argv[1:] if argv is None else argv)
        count = _run(args, checkpoint, labels)
    print(f"{args.output}: {count} steps")


if __name__ == "__main__":
    sys.exit(main())

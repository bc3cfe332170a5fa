"""Every example drawing at four strengths: assets/contact_sheet.png.

    python -m assets.contact_sheet --checkpoint checkpoints/NAME.safetensors --out assets/contact_sheet.png

The rule is fixed, so that nothing is hand-picked: seed 0 everywhere, drawings in alphabetical order, and each
takes, of the styles its subject was trained with, the one that the sheet has used least so far.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from diffusion import Checkpoint, Sampling, edit, load_checkpoint  # before PyTorch, see machine.py

# isort: split
import torch

from diffusion.images import contact_sheet, load, prepare, to_pil
from diffusion.lineart import colour_in

DRAWINGS = Path(__file__).parent / "drawings"
STRENGTHS = (0.3, 0.5, 0.7, 0.9)


def word_of(path: Path) -> str:
    """`ice_cream-2.png` -> "ice cream"."""
    return path.stem.split("-")[0].replace("_", " ")


def least_used_style(checkpoint: Checkpoint, subject: str, used: Counter[str]) -> str:
    """Among the styles the subject was trained with; ties go to the first in the checkpoint's list."""
    seen = {style for name, style in checkpoint.pairs if name == subject}
    return min((s for s in checkpoint.label_names["style"] if s in seen), key=lambda style: used[style])


def row(checkpoint: Checkpoint, drawing: Image.Image, labels: dict[str, str], cell: int) -> list[Image.Image]:
    """The framed drawing, then its picture at each strength; outlines are coloured in, as on the page."""
    size = checkpoint.image_size
    pictures = [to_pil(prepare(drawing, size).x0, cell)]
    if not checkpoint.takes_lines:
        drawing = colour_in(drawing, checkpoint.colours_of(labels))
    x0 = prepare(drawing, size).x0
    for strength in STRENGTHS:
        *_, last = edit(checkpoint, x0, labels, Sampling(strength), torch.Generator().manual_seed(0))
        pictures.append(to_pil(checkpoint.codec.decode(last.x), cell))
    return pictures


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", required=True, help="a checkpoint with the kinds subject and style")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".png"))
    parser.add_argument("--cell", type=int, default=128, help="side of a cell in pixels (default: 128)")
    args = parser.parse_args(argv)
    try:
        checkpoint = load_checkpoint(args.checkpoint)
    except ValueError as error:
        parser.error(str(error))
    if list(checkpoint.label_names) != ["subject", "style"]:
        parser.error(f"{args.checkpoint} has no subjects and styles.")
    named = {
        path: name
        for path in sorted(DRAWINGS.glob("*.png"), key=lambda path: path.stem)
        if (name := checkpoint.name_of("subject", word_of(path)))
    }
    if not named:
        parser.error(f"{args.checkpoint} knows none of the subjects in {DRAWINGS}.")
    used: Counter[str] = Counter()
    rows, names = [], []
    for path, subject in named.items():
        style = least_used_style(checkpoint, subject, used)
        used[style] += 1
        rows.append(row(checkpoint, load(path), {"subject": subject, "style": style}, args.cell))
        names.append(f"{subject}\n{style}")
        print(path.name, style, flush=True)
    columns = ["drawing", *(f"strength {strength}" for strength in STRENGTHS)]
    half = -(-len(rows) // 2)  # two blocks side by side: one would be five times as high as wide
    blocks = [
        contact_sheet(rows[part], names[part], columns, args.cell)
        for part in (slice(None, half), slice(half, None))
        if rows[part]
    ]
    sheet = Image.new("RGB", (sum(b.width for b in blocks), max(b.height for b in blocks)), "white")
    for i, block in enumerate(blocks):
        sheet.paste(block, (i * blocks[0].width, 0))
    sheet.save(args.out, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

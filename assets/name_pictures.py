"""A small picture for each name in the list of names: assets/web/names.webp, and names.txt says whose.

    python -m assets.name_pictures --checkpoint checkpoints/NAME.safetensors --judge JUDGE --data DATA ...

What the checkpoint makes of a crude drawing, filled with colours, of one training picture of each subject: at
the usual settings, seed 0, the first picture in the style named first below that has any. None is picked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from diffusion import load_checkpoint  # before PyTorch, see machine.py

# isort: split
from PIL import Image

from diffusion import images
from diffusion.classifier import load_classifier
from diffusion.evaluate.concepts import first_of_each
from diffusion.evaluate.drawings import crude
from diffusion.evaluate.figures import painted
from diffusion.evaluate.study import DEFAULT_STRENGTH, Study
from diffusion.files import whole, write_text
from diffusion.train.data import PictureSet, load_pictures

WEB = Path(__file__).parent / "web"
STYLES = ("noto", "fluent-3d", "fluent-color", "emojitwo", "photo")
COLUMNS, CELL = 32, 40  # words/main.js and words.css know them, too


def one_of_each(pictures: PictureSet) -> PictureSet:
    """One picture of each subject, in the first of STYLES that has one."""
    styles = pictures.label_names["style"]
    rank = {styles.index(name): k for k, name in enumerate(STYLES) if name in styles}
    ranks = [rank.get(style, len(STYLES)) for style in pictures.labels[:, -1].tolist()]
    return first_of_each(pictures, sorted(range(len(ranks)), key=ranks.__getitem__))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", required=True, help="a checkpoint with the kinds subject and style")
    parser.add_argument("--judge", required=True, help="a classifier; it is not asked")
    parser.add_argument("--data", nargs="+", required=True, help="its training pictures")
    args = parser.parse_args(argv)
    try:
        checkpoint = load_checkpoint(args.checkpoint)
        pictures = load_pictures(args.data, 2 * checkpoint.image_size, 0.0)
        if "style" not in pictures.label_names:
            parser.error("These pictures have no styles.")
        study = Study(checkpoint, load_classifier(args.judge), one_of_each(pictures), seed=0)
        drawn, _ = crude(study, study.pictures, "filled")
        x0 = painted(study, drawn.seeded(0), DEFAULT_STRENGTH, "names")
    except ValueError as error:
        parser.error(str(error))
    subjects = pictures.label_names["subject"]
    names = [subjects[row[0]] for row in drawn.labels.tolist()]
    page = Image.new("RGB", (COLUMNS * CELL, -(-len(names) // COLUMNS) * CELL), "white")
    for i, picture in enumerate(x0):
        page.paste(images.to_pil(picture, CELL), (i % COLUMNS * CELL, i // COLUMNS * CELL))
    with whole(WEB / "names.webp") as partial:
        page.save(partial, format="WEBP", quality=70, method=6)
    write_text(WEB / "names.txt", "\n".join(names) + "\n")
    print(f"{len(names)} pictures, {(WEB / 'names.webp').stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

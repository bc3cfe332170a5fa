"""Make training pictures smaller: `python -m diffusion.train.pack --data ... --out packed.tar.gz`.

A machine with a GPU is often another machine. This writes folders and tars of pictures into one tar of the
same layout, shrunk to what training uses and compressed again (WebP), so that `diffusion.train` takes it in
their place. Names stay, and so do the groups that are held out.
"""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from .. import images
from ..files import whole
from ..options import REQUIRED, command, option, parse
from .shards import expanded
from .sources import DataError, picture_files


@dataclass(frozen=True)
class PackSettings:
    """What to pack, and how small."""

    data: tuple[str, ...] = option(REQUIRED, "folders and tars")
    out: str = option(REQUIRED, "the tar to write, *.tar or *.tar.gz")
    size: int = option(128, "largest side in pixels", low=1, high=10_000)
    quality: int = option(85, "of WebP", low=1, high=100)


def pack(sources: Sequence[str | Path], out: str | Path, size: int = 128, quality: int = 85) -> int:
    """Write all pictures of `sources` to one tar; returns how many.

    Args:
        sources: folders and tars as `load_pictures` takes them.
        out: the tar to write, *.tar, or *.tar.gz (the names of many small files press well); it appears
            whole or not at all.
        size: pictures larger than this many pixels on a side are shrunk. `diffusion.train` loads at twice
            its image size, so 128 is all that a 64 x 64 model can see.
        quality: of WebP, in 1 .. 100.

    Raises:
        DataError: a source is missing or holds no pictures, or two pictures have the same name.
    """
    out, seen = Path(out), set()
    with whole(out) as partial, tarfile.open(partial, "w:gz" if out.suffix == ".gz" else "w") as tar:
        for source in expanded(sources):
            for path, content in tqdm(picture_files(source), desc=Path(source).name, unit="picture"):
                name = str(path.with_suffix(".webp"))
                if name in seen:
                    raise DataError(f"{source}: {name} is there twice.")
                seen.add(name)
                data = _smaller(content, size, quality, f"{source}: {path}")
                about = tarfile.TarInfo(name)
                about.size = len(data)
                tar.addfile(about, io.BytesIO(data))
    return len(seen)


def _smaller(content: bytes, size: int, quality: int, name: str) -> bytes:
    try:
        picture = images.load(io.BytesIO(content))
    except images.ImageError as error:
        raise DataError(f"{name}: {error}") from error
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    picture.save(data, format="WEBP", quality=quality, method=4)
    return data.getvalue()


@command("pack")
def main(argv: Sequence[str] | None = None) -> None:
    """The command line."""
    settings = parse(PackSettings, "python -m diffusion.train.pack", "Make training pictures smaller.", argv)
    count = pack(settings.data, settings.out, settings.size, settings.quality)
    print(f"{count} pictures, {Path(settings.out).stat().st_size / 1e6:.1f} MB: {settings.out}")


if __name__ == "__main__":
    sys.exit(main())

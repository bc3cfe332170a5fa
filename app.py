"""The entry of a HuggingFace Space: `python app.py` opens the page."""

import sys

from diffusion.machine import MOST_THREADS, use_cores
from diffusion.options import command


@command("app")
def main() -> None:
    from diffusion.page.app import serve  # what goes wrong from here on is one line

    use_cores(MOST_THREADS)
    serve()


if __name__ == "__main__":
    sys.exit(main())

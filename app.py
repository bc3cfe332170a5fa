"""The entry of a HuggingFace Space: `python app.py` opens the page."""

from diffusion.machine import MOST_THREADS, use_cores
from diffusion.page.app import serve


def main() -> None:
    use_cores(MOST_THREADS)
    serve()


if __name__ == "__main__":
    main()

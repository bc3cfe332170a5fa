"""The entry of a HuggingFace Space: `python app.py` opens the page."""

import os

import torch

from diffusion.page.app import build, launch


def main() -> None:
    torch.set_num_threads(min(4, os.cpu_count() or 1))  # more do not help so small a network
    launch(build())


if __name__ == "__main__":
    main()

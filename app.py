"""The entry of a HuggingFace Space: `python app.py` opens the page."""

from diffusion.page.app import main

if __name__ == "__main__":
    main()

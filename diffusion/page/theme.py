"""The page's look, and what a link to it shows."""

from __future__ import annotations

import html
import os

import gradio as gr

TITLE = "Doodle Diffusion"
TAGLINE = "Draw something, and watch a small neural network paint it."
PREVIEW = "https://huggingface.co/spaces/{}/resolve/main/assets/app.png"  # in a Space, by its name

THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(  # dark enough, or light enough, to be read: 4.5 to 1 (WCAG 2.2, 1.4.3)
    body_text_color_subdued="*neutral_500",
    body_text_color_subdued_dark="*neutral_400",
    block_info_text_color="*neutral_500",
    block_info_text_color_dark="*neutral_400",
    link_text_color="*primary_600",
    link_text_color_dark="*primary_300",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
)


def head() -> str:
    """Tags for link previews, besides Gradio's own title; the picture has an address only on a Space."""
    tags = [f'<meta name="description" content="{TAGLINE}">']
    if space := os.environ.get("SPACE_ID"):
        tags.append(f'<meta property="og:image" content="{html.escape(PREVIEW.format(space))}">')
    return "\n".join(tags)

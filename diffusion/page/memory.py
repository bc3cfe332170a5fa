"""What a tab keeps of its controls while the page is away: assets/web/gallery/memory.js holds it."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
from gradio.events import Dependency

from .connect import QUICK
from .layout import Workspace

KEEP = """(...values) => {{
  const settings = Object.fromEntries({names}.map((name, i) => [name, values[i]]));
  const kinds = {kinds}[settings.model] ?? [];
  settings.labels = Object.fromEntries(kinds.map((kind, i) => [kind, settings[i]]));
  window.dispatchEvent(new CustomEvent('doodle:controls', {{ detail: settings }}));
}}"""
RECALL = """() => {
  let kept = {};
  try { kept = JSON.parse(sessionStorage.getItem('doodle')).settings ?? {}; } catch { }
  return [kept.live ?? false, kept.pictures ?? 1, 'open'];
}"""


def connect_memory(ws: Workspace, opened: Dependency) -> None:
    """Keep every change of a control, and put them back once `opened`, which sets what a link says.

    What was kept overrules the link: the tab has it since.
    """
    controls, actions = ws.controls, ws.actions
    parts: dict[str, Any] = {
        "model": controls.model,
        **{str(place): selector for place, selector in enumerate(controls.labels)},
        **controls.dials,
        "live": actions.live,
        "pictures": actions.pictures,
    }
    kinds = {model: list(each.label_names) for model, each in controls.checkpoints.items()}
    keep = KEEP.format(names=json.dumps(list(parts)), kinds=json.dumps(kinds))
    changes = [each.change for each in parts.values()]
    gr.on(changes, None, list(parts.values()), None, js=keep, **QUICK)
    opened.then(None, None, [actions.live, actions.pictures, ws.gallery], js=RECALL, **QUICK)

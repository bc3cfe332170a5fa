"""Diffusion from scratch: noise schedule, U-Net, DDIM sampler, SDEdit. Start reading at schedule.py."""

from .checkpoint import Checkpoint, CheckpointError, UnknownLabel, load_checkpoint, save_checkpoint
from .ema import EMA
from .sampler import Step, sample
from .schedule import NoiseSchedule
from .unet import UNet, UNetConfig

__all__ = [
    "EMA",
    "Checkpoint",
    "CheckpointError",
    "NoiseSchedule",
    "Step",
    "UNet",
    "UNetConfig",
    "UnknownLabel",
    "edit",
    "load_checkpoint",
    "sample",
    "save_checkpoint",
]


def __getattr__(name: str):
    """`edit` is imported when first asked for: `python -m diffusion.sdedit` wants to be the first."""
    if name == "edit":
        from .sdedit import edit

        return edit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

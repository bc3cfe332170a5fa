"""Diffusion from scratch: noise schedule, U-Net, DDIM sampler, SDEdit. Start reading at schedule.py."""

from .checkpoint import Checkpoint, CheckpointError, UnknownLabel, load_checkpoint, save_checkpoint
from .ema import EMA
from .sampler import Step, sample
from .schedule import NoiseSchedule
from .sdedit import edit
from .unet import UNet, UNetConfig

__version__ = "0.4.0"

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

"""Diffusion from scratch: noise schedule, U-Net, denoiser, solvers, SDEdit. Start reading at schedule.py."""

from . import machine as machine  # first, before PyTorch: see there
from .checkpoint import Checkpoint, CheckpointError, UnknownLabel, load_checkpoint, save_checkpoint
from .condition import Condition
from .denoiser import Denoiser
from .ema import EMA
from .sampler import Sampling, Step, sample
from .schedule import NoiseSchedule
from .sdedit import edit
from .unet import UNet, UNetConfig

__version__ = "0.4.0"

__all__ = [
    "EMA",
    "Checkpoint",
    "CheckpointError",
    "Condition",
    "Denoiser",
    "NoiseSchedule",
    "Sampling",
    "Step",
    "UNet",
    "UNetConfig",
    "UnknownLabel",
    "edit",
    "load_checkpoint",
    "sample",
    "save_checkpoint",
]

"""What this machine does well: how many threads compute, how they wait, and how exactly they multiply.

The package imports this first, before PyTorch: OpenMP reads how to wait once, when it is loaded.
"""

from __future__ import annotations

import ctypes
import functools
import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

# How often a thread of GCC's OpenMP looks whether there is work before it goes to sleep. A network is many
# short pieces of work with a wait after each. With OpenMP's own limit, which is none to speak of, threads
# that wait keep the cores from other programs, who keep them from the threads that are waited for; without
# any looking, waking up costs as much as the work. A guided call of doodle-64 in float32 on two cores (Zen
# 5) took 23 ms so, 21 with OpenMP's own limit, 37 without looking; beside three programs that used a core
# each 55, 690 to 4,800, and 39.
SPINS = 1000
MOST_THREADS = 4  # more do not help so small a network
PRECISIONS = ("bf16", "fp32")
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # options of mallopt, by their numbers in malloc.h

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))

import cv2
import torch
import torch.nn.functional as F


def cores() -> int:
    """How many cores this process may use: at most its affinity mask and its control group's quota."""
    from loky import cpu_count  # counts both, on every system

    return cpu_count()


def use_cores(most: int | None = None) -> int:
    """Let PyTorch and OpenCV compute in as many threads as there are cores, or `most`; returns their number.

    OMP_NUM_THREADS goes before.
    """
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told):
        threads = int(told)
    else:
        threads = cores()
        threads = min(threads, most or threads)
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    return threads


def keep_memory() -> bool:
    """Let this process keep the memory that it frees, for its next step; returns whether the system can.

    A step of training needs gigabytes for a moment, and each time the C library hands them back to Linux and
    fetches them again, empty, page by page. On two cores of a Zen 4 that took 13 % of a step of doodle-64
    with 64 pictures, and half of the time in which the autoencoder encodes them. (mallopt(3); where the C
    library is not GNU's nothing changes.)
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl and macOS; Windows
        return False
    most = 2**31 - 1
    return all(mallopt(*option) for option in ((TRIM_THRESHOLD, most), (TOP_PAD, 2**28), (MMAP_MAX, 0)))


# ------------------------------------------------------------------------------------------------- precision


def multiplies_bf16() -> bool:
    """Has the processor instructions for it? Without them bfloat16 is a hundred times slower than float32."""
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False  # not Linux: nobody says
    return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})


@functools.cache
def best_precision(device: str = "cpu") -> str:
    """ "bf16" where that is the faster one, else "fp32".

    On a GPU it is a matter of what there is. On a CPU that has it, a convolution like the network's own is
    tried both ways, for some hundredths of a second.
    """
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    if device != "cpu" or not multiplies_bf16():
        return "fp32"
    seconds = _seconds_in_turns()
    return min(seconds, key=lambda precision: seconds[precision])


@torch.no_grad()
def _seconds_in_turns() -> dict[str, float]:
    """Seconds of a convolution by precision: the fastest turn, since disturbances only make one slower."""
    x, weight = torch.zeros(8, 128, 16, 16), torch.zeros(128, 128, 3, 3)
    types = dict(zip(PRECISIONS, (torch.bfloat16, torch.float32)))
    seconds = dict.fromkeys(PRECISIONS, float("inf"))
    for _ in range(8):
        for name, dtype in types.items():
            started = time.perf_counter()
            F.conv2d(x.to(dtype), weight.to(dtype), padding=1)
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    return seconds


def chosen_precision(wanted: str, device: str = "cpu") -> str:
    """ "bf16" or "fp32": what is wanted, or where that is "auto", the best one."""
    return best_precision(device) if wanted == "auto" else wanted


def arithmetic(precision: str, device: str = "cpu") -> AbstractContextManager:
    """Where matrices are multiplied in this precision, and everything delicate in float32."""
    return torch.autocast(device, torch.bfloat16) if precision == "bf16" else nullcontext()

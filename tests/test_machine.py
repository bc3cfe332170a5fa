"""What the machine does well: threads as many as cores that may be used, and the precision that is faster."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import Condition, Denoiser, Sampling, edit, machine


def in_process(code: str, **variables: str) -> str:
    """What a fresh interpreter prints."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))
    }
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment | variables, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity masks")
def test_no_more_threads_than_cores_that_may_be_used():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); import torch, cv2;"
        "from diffusion.machine import use_cores;"
        "print(use_cores(), torch.get_num_threads(), cv2.getNumThreads())"
    )
    assert in_process(code) == "1 1 1"


def test_a_quota_counts_as_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(machine, "cores", lambda: 6)
    before = torch.get_num_threads()
    try:
        assert machine.use_cores() == 6
        assert machine.use_cores(4) == 4 == torch.get_num_threads()
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        assert machine.use_cores(4) == 1, "who sets it means it"
    finally:
        torch.set_num_threads(before)


def test_threads_look_for_work_a_while_and_then_sleep():
    code = (
        "import os, diffusion; print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in __import__('sys').modules)"
    )
    assert in_process(code) == f"{machine.SPINS} True"
    assert in_process(code, OMP_WAIT_POLICY="PASSIVE") == "None True", "who chooses is not overruled"
    assert in_process(code, GOMP_SPINCOUNT="5") == "5 True"


def test_openmp_is_not_there_before_it_is_told_how_to_wait():
    code = (
        "import builtins, os; old = builtins.__import__\n"
        "def spy(name, *a, **k):\n"
        "    if name == 'torch': assert 'GOMP_SPINCOUNT' in os.environ\n"
        "    return old(name, *a, **k)\n"
        "builtins.__import__ = spy\n"
        "import diffusion, app; print('told')"
    )
    assert in_process(code) == "told"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's C library can be told")
def test_a_training_keeps_the_memory_that_it_frees():
    code = (
        "import resource, torch; from diffusion.machine import keep_memory;"
        "assert {told};"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt;"
        "use = lambda: int(torch.empty(2**26, dtype=torch.uint8).zero_()[0]);"
        "[use() for _ in range(5)]; before = faults(); [use() for _ in range(20)]; print(faults() - before)"
    )
    kept, given_back = (int(in_process(code.format(told=told))) for told in ("keep_memory()", "True"))
    assert kept * 4 < given_back, "pages that are fetched anew; a few where something small lies in the way"


@pytest.mark.parametrize("has", [True, False])
@pytest.mark.parametrize("seconds", [(1.0, 2.0), (2.0, 1.0)])
def test_bf16_only_where_the_processor_has_it_and_it_is_faster(monkeypatch, has, seconds):
    monkeypatch.setattr(machine, "multiplies_bf16", lambda: has)
    monkeypatch.setattr(machine, "_seconds_in_turns", lambda: dict(zip(machine.PRECISIONS, seconds)))
    best = machine.best_precision.__wrapped__()
    assert best == ("bf16" if has and seconds[0] < seconds[1] else "fp32")


def test_without_instructions_for_it_bf16_is_not_even_tried(monkeypatch):
    monkeypatch.setattr(machine, "multiplies_bf16", lambda: False)
    monkeypatch.setattr(machine, "_seconds_in_turns", lambda: pytest.fail("that may take seconds"))
    assert machine.best_precision.__wrapped__() == "fp32"
    assert machine.chosen_precision("bf16") == "bf16", "unless it is asked for"


def test_trying_both_leaves_the_random_numbers_alone():
    state = torch.get_rng_state()
    assert set(machine._seconds_in_turns()) == set(machine.PRECISIONS)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_picture_differs_little_between_precisions():
    checkpoint = tiny_checkpoint()
    with torch.no_grad():
        for parameter in checkpoint.model.parameters():
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    drawing = torch.rand(1, 3, checkpoint.image_size, checkpoint.image_size) * 2 - 1
    results = {}
    for precision in machine.PRECISIONS:
        generator = torch.Generator().manual_seed(0)
        *_, last = edit(checkpoint.computing(precision), drawing, {}, Sampling(), generator)
        results[precision] = last.x
        assert last.x.dtype == torch.float32
    difference = (results["bf16"] - results["fp32"]).square().mean().sqrt()
    assert 0 < difference < 0.02
    assert checkpoint.computing("fp32") is checkpoint
    assert checkpoint.computing("bf16") is checkpoint.computing("bf16"), "converted once"
    assert next(checkpoint.model.parameters()).dtype == torch.float32


def test_guidance_is_summed_in_float32():
    checkpoint = tiny_checkpoint().computing("bf16")
    denoiser = Denoiser.of(checkpoint, Condition.of(checkpoint, {}))
    (answer,) = denoiser.ask(torch.zeros(1, *checkpoint.shape), 10, denoiser.condition)
    assert answer.dtype == torch.float32

"""The model's thread, and frames that run ahead of the page."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
import torch

from diffusion.page.worker import ahead, in_model_thread
from diffusion.sampler import Step


def step(index: int = 1, total: int = 1) -> Step:
    return Step(index=index, total=total, t=0, x=torch.zeros(1), x0=torch.zeros(1))


def test_a_slow_page_gets_all_frames_and_does_not_slow_the_model_down():
    made = []

    def model():
        for i in range(10):
            made.append(i)
            yield step(i + 1, 10)

    batches = ahead(model())
    first = next(batches)
    while len(made) < 10:  # nobody asks for more, and it goes on
        time.sleep(0.001)
    assert [made.index for batch in [first, *batches] for made in batch] == list(range(1, 11))


def test_an_error_of_the_model_arrives_behind_its_last_frame():
    def model():
        yield step(1, 2)
        raise ZeroDivisionError

    batches = ahead(model())
    assert len(next(batches)) == 1
    with pytest.raises(ZeroDivisionError):
        next(batches)


def endless(seen: list):
    """A model that never ends; what it does, and in which thread, stands in `seen`."""
    try:
        while True:
            time.sleep(0.002)
            seen.append(threading.current_thread().name)
            yield step(total=50)
    finally:
        seen.append("closed")


def has_ended(seen: list) -> bool:
    deadline = time.monotonic() + 10
    while "closed" not in seen and time.monotonic() < deadline:
        time.sleep(0.001)
    return "closed" in seen


def test_every_step_is_made_in_the_model_s_thread():
    seen = []
    with contextlib.closing(ahead(endless(seen))) as batches:
        next(batches), next(batches)
    assert has_ended(seen)
    assert set(seen[:-1]) == {in_model_thread(lambda: threading.current_thread().name)}
    assert threading.current_thread().name not in seen


def test_those_who_share_the_thread_take_turns():
    first, second = [], []
    with contextlib.closing(ahead(endless(first))) as one:
        next(one)
        assert in_model_thread(lambda: "done") == "done", "while the run goes on"
        with contextlib.closing(ahead(endless(second))) as other:
            next(other), next(one), next(other)
    assert has_ended(first) and has_ended(second)


def test_a_run_ends_within_a_step_when_nobody_wants_it_or_it_is_closed():
    seen, wanted = [], True
    batches = ahead(endless(seen), lambda: wanted)
    next(batches)
    wanted = False
    list(batches)
    assert has_ended(seen)
    seen = []
    batches = ahead(endless(seen))
    next(batches)
    begun = len(seen)
    batches.close()
    made = len(seen)
    assert has_ended(seen) and len(seen) - made <= 2 and begun, "one step that was going on"


def test_closing_does_not_wait_for_the_step_that_is_going_on():
    """Gradio closes runs in the thread that answers everybody."""
    going_on, go_on = threading.Event(), threading.Event()

    def model():
        yield step()
        going_on.set()
        go_on.wait(10)
        yield step()

    batches = ahead(model())
    next(batches)
    assert going_on.wait(10)
    batches.close()
    assert not go_on.is_set()
    go_on.set()


def test_what_goes_wrong_in_the_model_s_thread_is_told_where_it_was_asked_for():
    with pytest.raises(ZeroDivisionError):
        in_model_thread(lambda: 1 / 0)
    assert in_model_thread(max, 1, 2) == 2, "and the thread goes on"

"""The model's thread, and frames that run ahead of the page."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from conftest import tiny_checkpoint
from diffusion import Sampling
from diffusion.guidance import ByKind
from diffusion.page import worker
from diffusion.page.worker import MODEL_THREAD, TOGETHER, ahead, in_model_thread
from diffusion.sampler import Step
from diffusion.sdedit import edit, edit_walk
from diffusion.train.data import load_pictures
from fruit import classifier_for, draw, model_for


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


# ---- several runs at once


CHECKPOINT = tiny_checkpoint()
WISHES = [  # strength, steps, guidance, solver, pictures, drawn, subject
    (0.6, 12, 2.0, "dpm++", 1, True, "apple"),
    (0.9, 8, 3.5, "ddim", 2, True, "pear"),
    (1.0, 5, 2.0, "ddpm", 1, False, None),
    (0.3, 20, 1.0, "dpm++", 1, True, "apple"),
    (0.7, 10, 2.0, "heun", 3, True, "cat"),
]


def wish(strength, steps, guidance, solver, count, drawn, subject, run=edit_walk):
    image = None
    if drawn:
        image = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16).expand(count, -1, -1, -1)
    sampling = Sampling(strength, steps, guidance, solver=solver)
    seeds = [torch.Generator().manual_seed(k) for k in range(count)]
    return run(CHECKPOINT, image, {"subject": subject}, sampling, seeds, None, None, False)


@contextlib.contextmanager
def busy():
    """The model's thread does nothing else meanwhile."""
    over = threading.Event()
    MODEL_THREAD.submit(over.wait)
    try:
        yield
    finally:
        over.set()


@pytest.fixture
def calls():
    """How many pictures went through the network in each call."""
    sizes: list[int] = []
    hook = CHECKPOINT.model.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    yield sizes
    hook.remove()


def in_company(runs):
    """The last step of each of several runs that are begun before the model's thread has time for any."""
    with ThreadPoolExecutor(len(runs)) as pages:
        with busy():
            results = [pages.submit(lambda run=run: [*ahead(run)][-1][-1]) for run in runs]
            time.sleep(0.2)
        return [result.result(60) for result in results]


def test_a_picture_is_the_same_alone_and_in_company(calls):
    together = in_company([wish(*each) for each in WISHES])
    shared = [*calls]
    for wanted, found in zip(WISHES, together):
        *_, alone = wish(*wanted, run=edit)
        assert (found.index, found.total, found.t) == (alone.index, alone.total, alone.t)
        torch.testing.assert_close(found.x0, alone.x0, atol=1e-3, rtol=0)
    alone_calls = len(calls) - len(shared)
    assert len(shared) < 0.7 * alone_calls, "and they shared calls"


def test_steered_pictures_too(calls, tmp_path):
    pictures = load_pictures([draw(tmp_path)], 32, 0.4)
    checkpoint = replace(model_for(pictures), guide=classifier_for(pictures))

    def run(steering, subject, below=0.9, way=edit_walk):
        sampling = Sampling(1.0, 6, 2.0, steering=steering, steered_below=below)
        seed = torch.Generator().manual_seed(int(steering))
        return way(checkpoint, None, {"subject": subject}, sampling, seed, None, None, False)

    hook = checkpoint.model.register_forward_pre_hook(lambda _, args: calls.append(len(args[0])))
    wanted = [(5.0, "pear"), (40.0, "pear"), (12.0, None), (0.0, "pear"), (5.0, "pear", 0.4)]
    together = in_company([run(*each) for each in wanted])
    hook.remove()
    assert calls.count(6) == 6 and calls.count(2) == 12, "three of a kind, one not steered, one elsewhere"
    for each, found in zip(wanted, together):
        *_, alone = run(*each, way=edit)
        torch.testing.assert_close(found.x0, alone.x0, atol=1e-3, rtol=0)


def test_runs_share_calls_up_to_a_number_of_pictures(calls):
    one = ("dpm++", 1, True, "apple")
    in_company([wish(1.0, 5, 1.0, *one) for _ in range(TOGETHER + 2)])
    assert sum(calls) == 5 * (TOGETHER + 2) and max(calls) == TOGETHER
    assert len(calls) <= 12, "ten steps for two groups, and one or two where they find together"


def test_a_run_joins_another_at_its_next_step_and_leaves_when_it_is_done(calls):
    first = ahead(wish(1.0, 50, 2.0, "ddim", 1, True, "apple"))
    next(first)
    (second,) = in_company([wish(1.0, 5, 2.0, "ddim", 1, True, "pear")])
    assert sum(len(new) for new in first) < 50 and second.index == 5
    assert calls.count(4) == 5 and calls[0] == calls[-1] == 2


def test_models_and_ways_of_guiding_are_not_mixed(calls):
    runs = []
    for checkpoint, guidance in (
        (CHECKPOINT, 2.0),
        (CHECKPOINT, ByKind((1.0, 2.0))),
        (tiny_checkpoint(), 2.0),
    ):
        sampling = Sampling(1.0, 5, guidance)
        runs.append(edit_walk(checkpoint, None, {}, sampling, None, None, None, False))
    in_company(runs)
    assert max(calls) == 2


def test_what_goes_wrong_in_a_shared_call_reaches_all_who_shared_it(monkeypatch):
    def fail(looks):
        raise ZeroDivisionError

    monkeypatch.setattr(worker, "answer_together", fail)
    with pytest.raises(ZeroDivisionError):
        in_company([wish(*each) for each in WISHES[:2]])
    assert not worker._Running.waiting and in_model_thread(max, 1, 2) == 2

"""Several pictures at once, going on from a step, and which of several runs may go on; without a browser."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

gr = pytest.importorskip("gradio")

from app_helpers import decoded, frames_of, make_controls, start, values_of
from conftest import drawn
from diffusion.page import handlers
from diffusion.page.session import TOO_OLD, Place, Session
from diffusion.sampler import Step


@pytest.fixture(scope="module")
def controls():
    return make_controls()


# ---- several at once, one of them, and on from one of its steps


def test_several_seeds_at_once_are_the_pictures_of_each_seed(controls):
    session = Session()
    *_, done = start(controls, session, drawn(), seed=7, count=4)
    assert done["count"] == 4 and "picture" not in done and "seeds 7 to 10" in done["say"]
    assert decoded(frames_of(list(start(controls, session, drawn(), count=4)))[0]["x0"]).size == (64, 16)
    chosen = handlers.choose_one(session, SimpleNamespace(run=1, k=2))
    *_, alone = start(controls, Session(), drawn(), seed=9)
    assert chosen["settings"] == alone["settings"] and chosen["name"] == "apple-noto-9"
    difference = np.subtract(decoded(chosen["picture"]), decoded(alone["picture"]), dtype=np.int16)
    assert np.abs(difference).max() <= 1


def test_going_on_unchanged_gives_the_same_picture_and_a_change_another(controls):
    session = Session()
    *_, done = start(controls, session, drawn())

    def on(**changes):
        messages = list(start(controls, session, "", after=Place(1, 0, 3), **changes))
        frames = frames_of(messages)
        assert [frame["say"] for frame in frames] == [f"Step {i} of 6" for i in range(1, 7)], (
            "all are sent again"
        )
        return messages[-1]

    assert on()["picture"] == done["picture"], "the drawing is the old run's, whatever is on the canvas"
    assert on(strength=0.1, steps=50)["settings"] == done["settings"], "these belong to the old run"
    others = [on(labels=("cat", "noto")), on(guidance=5.0), on(seed=8)]
    assert len({other["picture"] for other in [done, *others]}) == 4
    assert others[0]["settings"]["labels"]["subject"] == "cat"


def test_a_run_can_be_too_old_to_go_on_from(controls, monkeypatch):
    monkeypatch.setattr("diffusion.page.session.KEPT_RUNS", 2)
    session = Session()
    for _ in range(3):
        list(start(controls, session, drawn(), strength=0.2))
    assert sorted(session.runs) == [2, 3]
    monkeypatch.setattr(handlers.gr, "Warning", lambda text: None)
    (message,) = start(controls, session, drawn(), after=Place(1, 0, 1))
    assert message["phase"] == "idle" and message["say"] == TOO_OLD


# ---- stop, and a new run while one is going on


@pytest.fixture
def slow(monkeypatch):
    """Every step of the model waits until the test lets it go on: slow.set() for all, see `one_step`."""
    gate = threading.Semaphore(0)
    paint = handlers.paint

    def gated(*args, **kwargs):
        steps = paint(*args, **kwargs)
        for step in steps:
            if isinstance(step, Step):  # and no look
                gate.acquire()
            yield step

    monkeypatch.setattr(handlers, "paint", gated)
    return gate


def test_stop_keeps_the_last_frame(controls, slow):
    session = Session()
    run = start(controls, session, drawn(), strength=1, steps=50)
    for _ in range(3):
        slow.release()
        message = next(run)
    assert handlers.call_off(session)["phase"] == "idle"
    slow.release()  # the step that was going on
    rest = list(run)
    assert [m["phase"] for m in rest] == ["done"]
    assert rest[0]["say"].startswith("Stopped after 3 of 50 steps")
    assert rest[0]["run"] >= message["run"], "an older number would be ignored by the page"
    assert len(session.runs[1].steps) == 3


def test_stop_calls_off_a_run_that_waits_in_the_queue(controls):
    session = Session()
    run = start(controls, session, drawn())
    handlers.call_off(session)
    assert list(run) == []


def test_a_new_run_ends_the_old_one_at_its_next_step(controls, slow):
    session = Session()
    old = start(controls, session, drawn(), strength=1, steps=50)
    slow.release()
    next(old)
    new = start(controls, session, drawn())
    slow.release()
    assert list(old) == []
    slow.release(100)
    assert [m["phase"] for m in new][-1] == "done"


def test_the_newest_drawing_wins_whatever_the_order_they_come_in(controls, monkeypatch):
    session, begun, read = Session(), [], handlers.read_drawing
    monkeypatch.setattr(handlers, "read_drawing", lambda *args: begun.append(args[-1].seed) or read(*args))
    runs = [start(controls, session, drawn(), seed=seed) for seed in (1, 2, 3)]
    assert [bool(list(runs[i])) for i in (0, 2, 1, 2)] == [False, True, False, False]
    assert session.runs[3].settings.seed == 3
    assert begun == [3], "for the others not even the drawing is looked at"


def test_one_ticket_makes_one_run(controls):
    session = Session()
    number, _ = handlers.ask(session)
    values = values_of(controls, drawn())
    runs = [handlers.generate(session, number, controls, values) for _ in range(2)]
    assert [bool(list(run)) for run in runs] == [True, False]


def test_closing_a_run_closes_the_sampler(controls, monkeypatch):
    closed = []

    def endless(ckpt, image, *_, **__):
        try:
            while True:
                time.sleep(0.005)  # no model is quicker than its frames are drawn
                yield Step(index=1, total=50, t=0, x=image, x0=image)
        finally:
            closed.append(True)

    monkeypatch.setattr("diffusion.page.session.edit_walk", endless)
    run = start(controls, Session(), drawn())
    next(run)
    run.close()  # what Gradio does when the tab is closed
    deadline = time.monotonic() + 10
    while not closed and time.monotonic() < deadline:
        time.sleep(0.001)
    assert closed

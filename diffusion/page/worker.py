"""The one thread in which torch computes, and runs that go on there while others look at their frames.

Runs that go on at the same time share calls of the network: each says what it is about to ask (look.py), and
one call answers all that wait, whatever their timesteps and labels. A run joins at the next step and leaves
when it is done.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ..look import Look, answer_together
from ..sampler import Step

P = ParamSpec("P")
T = TypeVar("T")

# All that torch computes is computed in this one thread. OpenMP gives every thread that computes a team of
# helpers of its own, and where there are more of them than cores, they go to sleep at each of a network's
# many short waits: on two cores a step takes 1.6 times as long once a second thread has computed anything,
# and a web server answers each request in another.
MODEL_THREAD = ThreadPoolExecutor(1, "model")
TOGETHER = 8  # pictures in one call, 16 with guidance: of more each costs as much, and all wait for all


def in_model_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What work(*args, **kwargs) returns or raises, done between two steps of what is being painted.

    Work that is done there must not call this: it would wait for itself.
    """
    return MODEL_THREAD.submit(work, *args, **kwargs).result()


class _Running:
    """A run as the model's thread sees it; but for `ready` and `closed`, nobody else touches it."""

    waiting: list[tuple[_Running, Look]] = []  # for an answer, of all runs

    def __init__(self, steps: Generator[Look | Step], wanted: Callable[[], bool]) -> None:
        self.steps, self.is_wanted = steps, wanted
        self.ready: queue.SimpleQueue[Step | Exception | None] = queue.SimpleQueue()
        self.closed = threading.Event()

    def go_on(self) -> None:
        """To the next look, where it waits for the others, or the next step.

        Each is queued by itself: others who need the thread get their turn in between.
        """
        made: Look | Step | Exception | None
        try:
            made = next(self.steps, None) if self.is_on else None
        except Exception as error:
            made = error
        if isinstance(made, Look):
            self.waiting.append((self, made))
            MODEL_THREAD.submit(self.answer)
        elif isinstance(made, Step):
            self.ready.put(made)
            MODEL_THREAD.submit(self.go_on)
        else:
            self.end(made)

    @property
    def is_on(self) -> bool:
        return not self.closed.is_set() and self.is_wanted()

    def end(self, error: Exception | None) -> None:
        """No more steps will come."""
        self.ready.put(error)
        self.steps.close()

    @classmethod
    def answer(cls) -> None:
        """Answer the look that waits longest, and those of its kind that there is room for beside it."""
        if not cls.waiting:  # an answer to another's look was one to all
            return
        chosen = [cls.waiting.pop(0)]
        (_, first), *_ = chosen
        room = TOGETHER - len(first.x)
        for run, look in [*cls.waiting]:
            if look.kind is not None and look.kind == first.kind and len(look.x) <= room:
                cls.waiting.remove((run, look))
                chosen.append((run, look))
                room -= len(look.x)
        looks = [look for run, look in chosen if run.is_on]
        try:
            if len(looks) > 1:  # one alone is answered by its own denoiser
                answer_together(looks)
        except Exception as error:
            for run, _ in chosen:
                run.end(error)
            return
        for run, _ in chosen:
            run.go_on()


def ahead(steps: Generator[Look | Step], wanted: Callable[[], bool] = lambda: True) -> Generator[list[Step]]:
    """Let the model go on in its own thread while the page is busy with the frames it has.

    Yields all steps that are new, one or several, so that a slow page never slows the model down. The model
    stops within a step once nobody wants its work or this generator is closed, which does not wait for it.
    """
    run = _Running(steps, wanted)
    MODEL_THREAD.submit(run.go_on)
    try:
        while True:
            new = [run.ready.get()]
            new += [run.ready.get() for _ in range(run.ready.qsize())]  # not until it is empty: maybe never
            end = new[-1] if not isinstance(new[-1], Step) else ...
            if new := [step for step in new if isinstance(step, Step)]:
                yield new
            if isinstance(end, Exception):
                raise end
            if end is None:
                return
    finally:
        run.closed.set()

"""The one thread in which torch computes, and runs that go on there while others look at their frames."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from ..sampler import Step

P = ParamSpec("P")
T = TypeVar("T")

# All that torch computes is computed in this one thread. OpenMP gives every thread that computes a team of
# helpers of its own, and where there are more of them than cores, they go to sleep at each of a network's
# many short waits: on two cores a step takes 1.6 times as long once a second thread has computed anything,
# and a web server answers each request in another.
MODEL_THREAD = ThreadPoolExecutor(1, "model")


def in_model_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What work(*args, **kwargs) returns or raises, done between two steps of what is being painted.

    Work that is done there must not call this: it would wait for itself.
    """
    return MODEL_THREAD.submit(work, *args, **kwargs).result()


def ahead(steps: Generator[Step], wanted: Callable[[], bool] = lambda: True) -> Generator[list[Step]]:
    """Let the model go on in its own thread while the page is busy with the frames it has.

    Yields all steps that are new, one or several, so that a slow page never slows the model down. The model
    stops within a step once nobody wants its work or this generator is closed, which does not wait for it.
    Each step is queued by itself: others who need the thread get their turn in between.
    """
    ready: queue.SimpleQueue[Step | Exception | None] = queue.SimpleQueue()
    closed = threading.Event()

    def work() -> None:
        try:
            made: Step | Exception | None = None if closed.is_set() or not wanted() else next(steps, None)
        except Exception as error:
            made = error
        ready.put(made)
        if isinstance(made, Step):
            MODEL_THREAD.submit(work)
        else:
            steps.close()

    MODEL_THREAD.submit(work)
    try:
        while True:
            new = [ready.get()]
            new += [ready.get() for _ in range(ready.qsize())]  # not until it is empty: that might never be
            end = new[-1] if not isinstance(new[-1], Step) else ...
            if new := [step for step in new if isinstance(step, Step)]:
                yield new
            if isinstance(end, Exception):
                raise end
            if end is None:
                return
    finally:
        closed.set()

"""Who waits for the model: runs asked for, in their order, and how soon one may begin."""

from __future__ import annotations

import heapq
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass

from .session import Session
from .worker import TOGETHER

PLACES = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth"]
GUESS = 3.0  # seconds of a run, before there was any
REMEMBERED = 8  # runs whose time counts
LOST = 300.0  # seconds after which a run that never came was lost on its way


@dataclass
class Waiting:
    """A run that was asked for and has not ended."""

    session: weakref.ref[Session]
    number: int
    since: float
    begun: float | None = None
    done: float = 0.0  # the share of it that is

    def left(self, now: float, usual: float) -> float:
        """Seconds until it may be over, where runs usually take so many."""
        if self.begun is None:
            return usual
        gone = now - self.begun
        return gone * (1 - self.done) / self.done if self.done else max(0.0, usual - gone)

    def counts(self, now: float) -> bool:
        """Does anybody still want it?"""
        session = self.session()
        there = session is not None and session.wanted == self.number
        return there and (self.begun is not None or now - self.since < LOST)


class Line:
    """All runs of all tabs. Whoever asks anew stands at the end again, as in Gradio's queue.

    Args:
        together: how many of them go on at the same time.
    """

    def __init__(self, together: int = TOGETHER) -> None:
        self.together = together
        self._waiting: list[Waiting] = []
        self._seconds: deque[float] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def join(self, session: Session, number: int) -> None:
        """A run is asked for."""
        with self._lock:
            now = time.monotonic()
            self._waiting = [each for each in self._waiting if each.counts(now)]
            self._waiting.append(Waiting(weakref.ref(session), number, now))

    def begin(self, session: Session, number: int) -> float:
        """Its turn has come, after so many seconds."""
        with self._lock:
            now = time.monotonic()
            for each in self._waiting:
                if each.session() is session and each.number == number:
                    each.begun = now
                    return now - each.since
        return 0.0

    def going(self, session: Session, done: float) -> None:
        """So large a share of the tab's run is done."""
        with self._lock:
            for each in self._waiting:
                if each.session() is session and each.begun is not None:
                    each.done = done

    def end(self, session: Session, number: int) -> None:
        """It is over, whatever became of it."""
        with self._lock:
            for each in self._waiting:
                if each.session() is session and each.number == number and each.begun is not None:
                    self._seconds.append(time.monotonic() - each.begun)
            self._waiting = [
                each for each in self._waiting if not (each.session() is session and each.number == number)
            ]

    def ahead(self, session: Session) -> tuple[int, float] | None:
        """How many wait before the run that this tab waits for, and in how many seconds it may begin; None
        where it waits for none, or there is room for it."""
        with self._lock:
            now = time.monotonic()
            there = [each for each in self._waiting if each.counts(now)]
            mine = [place for place, each in enumerate(there) if each.session() is session]
            if not mine or there[mine[0]].begun is not None:
                return None
            usual = sum(self._seconds) / len(self._seconds) if self._seconds else GUESS
            before = sum(each.begun is None for each in there[: mine[0]])
            going = [each.left(now, usual) for each in there if each.begun is not None]
            free = max(0, self.together - len(going))
            if before < free:
                return None
            # When the runs end that go on, and then those that follow them.
            ends = sorted([0.0] * free + going) or [usual]
            for _ in range(before):
                heapq.heapreplace(ends, ends[0] + usual)
            return before, ends[0]


LINE = Line()


def in_words(ahead: int, seconds: float) -> str:
    """How many wait before one -> "Third in line, about 4 seconds." """
    place = PLACES[ahead] if ahead < len(PLACES) else f"Number {ahead + 1}"
    whole = max(1, round(seconds))
    return f"{place} in line, about {whole} second{'s' * (whole > 1)}."

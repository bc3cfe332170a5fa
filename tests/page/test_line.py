"""The place in the line, and how long it may take, for who waits for the model."""

from __future__ import annotations

import gc

import pytest

pytest.importorskip("gradio")

from app_helpers import make_controls, start
from diffusion.page import handlers, line
from diffusion.page.line import Line, in_words
from diffusion.page.session import Session


class Clock:
    now = 100.0


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(line.time, "monotonic", lambda: clock.now)
    return clock


def ask(queue: Line, session: Session) -> int:
    number = session.ask()
    queue.join(session, number)
    return number


def test_places_and_seconds_follow_from_those_before(clock):
    queue, tabs = Line(together=1), [Session() for _ in range(4)]
    numbers = [ask(queue, tab) for tab in tabs]
    assert queue.ahead(tabs[0]) is None, "its turn is next"
    assert [queue.ahead(tab)[0] for tab in tabs[1:]] == [1, 2, 3]
    queue.begin(tabs[0], numbers[0])
    assert [queue.ahead(tab)[0] for tab in tabs[1:]] == [0, 1, 2]
    clock.now += 2
    queue.end(tabs[0], numbers[0])  # two seconds are the usual time from now on
    assert queue.ahead(tabs[0]) is None, "it is over"
    assert [queue.ahead(tab) for tab in tabs[1:]] == [None, (1, 2), (2, 4)]
    assert queue.begin(tabs[1], numbers[1]) == 2, "for so long it waited"
    clock.now += 0.5
    assert queue.ahead(tabs[1]) is None, "it goes on"
    assert queue.ahead(tabs[3]) == (1, 3.5)
    queue.going(tabs[1], 0.1)
    assert queue.ahead(tabs[3]) == (1, pytest.approx(4.5 + 2)), "one that is slow is known to be"


def test_several_go_on_together_and_only_who_finds_no_room_waits(clock):
    queue, tabs = Line(together=2), [Session() for _ in range(6)]
    numbers = [ask(queue, tab) for tab in tabs]
    assert queue.ahead(tabs[1]) is None and queue.ahead(tabs[2])[0] == 2
    queue.begin(tabs[0], numbers[0])
    clock.now += 1
    queue.begin(tabs[1], numbers[1])
    # Runs are thought to take three seconds: two are left of the first one, three of the second.
    assert [queue.ahead(tab) for tab in tabs[2:]] == [(0, 2), (1, 3), (2, 5), (3, 6)]


def test_who_asks_anew_stands_at_the_end_and_who_gave_up_or_left_in_nobody_s_way(clock):
    queue, tabs = Line(together=0), [Session() for _ in range(3)]
    queue.begin(other := Session(), ask(queue, other))
    for tab in tabs:
        ask(queue, tab)
    ask(queue, tabs[0])
    assert [queue.ahead(tab)[0] for tab in tabs] == [2, 0, 1]
    tabs[1].call_off()
    assert queue.ahead(tabs[1]) is None and queue.ahead(tabs[2])[0] == 0
    del tabs[2], tab
    gc.collect()
    assert queue.ahead(tabs[0])[0] == 0
    clock.now += line.LOST + 1
    assert queue.ahead(tabs[0]) is None, "it was lost on its way"


@pytest.mark.parametrize(
    ("ahead", "seconds", "words"),
    [(0, 0.2, "First in line, about 1 second."), (2, 4.4, "Third in line, about 4 seconds."),
     (11, 30, "Number 12 in line, about 30 seconds.")],
)  # fmt: skip
def test_it_is_said_in_words(ahead, seconds, words):
    assert in_words(ahead, seconds) == words


def test_a_tab_hears_of_its_place_until_its_run_begins(monkeypatch):
    monkeypatch.setattr(handlers, "LINE", Line(together=1))
    first, second = Session(), Session()
    controls = make_controls()
    handlers.ask(first)
    handlers.ask(second)
    assert handlers.where_in_line(second)["say"].startswith("Second in line, about ")
    assert "say" not in handlers.where_in_line(first), "its turn is next"
    assert first.wanted == 1
    list(start(controls, first))  # asks anew: behind the second
    assert handlers.where_in_line(second).get("say") is None

"""What happens when a person asks for a picture, stops it, or does something with one that was made."""

from __future__ import annotations

import base64
import contextlib
import functools
import inspect
import random
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from ..look import Look
from ..sampler import Step
from ..sdedit import StrengthSearch
from .canvas_io import data_url
from .controls import Controls, Values
from .drawing import read_drawing
from .line import LINE, in_words
from .messages import FAILED, STOPPED, WAIT, Message, finished, frame_message, message, summary
from .session import LARGE_SIDE, Place, Run, Session, Ticket, go_on, paint
from .settings import read_count, read_number
from .watch import logged
from .worker import ahead

BLANK = "Your canvas was empty, so this one is pure imagination. Draw something to steer it."


def in_a_sentence(handler: Callable) -> Callable:
    """A function or a generator whose ValueErrors reach the browser, or a program, as their sentence."""

    @functools.wraps(handler)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    @functools.wraps(handler)
    def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from handler(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return stream if inspect.isgeneratorfunction(handler) else answer


def ends_waiting(handler: Callable[..., Iterator[Message]]) -> Callable[..., Iterator[Message]]:
    """A run whose errors reach the page as a last message, so that it waits no longer.

    Args:
        handler: takes the session and the run's number first.
    """

    @functools.wraps(handler)
    def guarded(session: Session, number: int, *rest: Any) -> Iterator[Message]:
        try:
            yield from handler(session, number, *rest)
        except ValueError as error:  # ImageError, UnknownLabel and the like: one sentence for the person
            gr.Warning(str(error))
            yield message(number, "idle", str(error))
        except Exception as error:
            yield message(number, "idle", FAILED)
            raise gr.Error(FAILED) from error

    return guarded


@in_a_sentence
def ask(session: Session, count: object = 1, drawing: bool = False) -> tuple[int, Message]:
    """The number of a new run, which ends the one that is going on, and a word for the person who waits.

    Args:
        drawing: whether somebody draws and did not ask for it.
    """
    number = session.ask(Ticket(read_count(count, default=1), drawing=drawing))
    LINE.join(session, number)
    return number, message(number, "wait", WAIT)


def told(event: gr.EventData, name: str) -> Any:
    """What an event says under a name; None where it says nothing: it comes from a browser, or a program."""
    try:
        return getattr(event, name, None)
    except TypeError:  # there is nothing in it
        return None


def ask_from(session: Session, event: gr.EventData) -> tuple[int, Message]:
    """The same for a run that goes on from a step of an earlier one."""
    place = Place(told(event, "run"), told(event, "k"), told(event, "step"))
    number = session.ask(Ticket(after=place))
    LINE.join(session, number)
    return number, message(number, "wait", WAIT)


def where_in_line(session: Session) -> Any:
    """The person's place among those who wait, as long as their run has not begun."""
    found = LINE.ahead(session)
    return message(session.wanted, "wait", in_words(*found)) if found else gr.skip()


def call_off(session: Session) -> Message:
    """End the run that is going on, or waits for its turn."""
    return message(session.call_off(), "idle", STOPPED)


@ends_waiting
def generate(session: Session, number: int, controls: Controls, values: Values) -> Iterator[Message]:
    """Paint what the run was asked for: a message for every few steps, and one for the result."""
    ticket = session.take(number)
    if ticket is None:
        return
    waited = LINE.begin(session, number)
    try:
        yield from _generate(session, number, controls, values, ticket, waited)
    finally:
        LINE.end(session, number)


def _generate(
    session: Session, number: int, controls: Controls, values: Values, ticket: Ticket, waited: float
) -> Iterator[Message]:
    settings = controls.read(values)
    settings = settings.while_drawing if ticket.drawing else settings
    checkpoint = controls.checkpoints[settings.model]
    if ticket.after:
        run, stream = go_on(session, checkpoint, settings, ticket.after)
    else:
        drawing = read_drawing(values[controls.canvas], checkpoint, settings)
        run = Run(settings, drawing, [], number, checkpoint.codec)
        stream = paint(checkpoint, run.drawing, settings, ticket.count)
        if run.drawing is None:
            gr.Info(BLANK)
    yield from _messages(session, number, run, stream, waited)


def _messages(
    session: Session, number: int, run: Run, stream: Generator[Look | Step], waited: float
) -> Iterator[Message]:
    begun, kept = time.perf_counter(), len(run.steps)
    place: Message = {"start": number, "box": [0, 0, 1], "shape": [1, 1], "lined": run.lined}
    if run.drawing:
        place.update({"box": run.drawing.box, "shape": run.drawing.shape})
    old = [frame_message(run.seen(step)) for step in run.steps]
    batches = ahead(stream, lambda: session.wanted == number)
    with logged(run.settings, run.steps, waited), contextlib.closing(batches):
        for new in batches:
            if session.wanted != number:
                break
            run.steps += new
            frames, old = old + [frame_message(run.seen(step)) for step in new], []
            progress = new[-1].index / max(new[-1].total, 1)
            LINE.going(session, progress)
            count = len(new[-1].x)
            more: Message = {**place, "progress": progress, "frames": frames, "count": count}
            yield message(number, "run", frames[-1]["say"], more)
    if session.wanted > session.taken:  # a newer run is waiting for this one to end
        return
    if len(run.steps) == kept:
        yield message(session.wanted, "idle", STOPPED)
        return
    session.keep(number, run)
    seconds = time.perf_counter() - begun
    count = len(run.steps[-1].x)
    more = {**place, "progress": 1, "count": count, "settings": asdict(run.settings), "drawn": run.drawn}
    more["name"] = run.settings.name
    if count == 1:
        more.update(finished(run.only(0), number, 0))
    yield message(session.wanted, "done", summary(run, seconds), more)


def _kept(session: Session, event: gr.EventData) -> Run:
    return session.kept(told(event, "run"), told(event, "k"))


@in_a_sentence
def choose_one(session: Session, event: gr.EventData) -> Message:
    """One of several pictures becomes the result; or the same one with its lines, or without."""
    run = _kept(session, event)
    if isinstance(lines := told(event, "lines"), bool):
        run = replace(run, settings=replace(run.settings, lines=lines))
    say = f"Seed {run.settings.seed}."
    return message(session.wanted, "chosen", say, finished(run, event.run, event.k))


@in_a_sentence
def make_gif(session: Session, event: gr.EventData) -> Message:
    """The animation of a picture."""
    url = "data:image/gif;base64," + base64.b64encode(_kept(session, event).gif()).decode()
    return {"gif": url, "nonce": random.random()}


@in_a_sentence
def make_large(session: Session, event: gr.EventData) -> Message:
    """A picture with more pixels, its settings inside."""
    run = _kept(session, event)
    return {"large": data_url(run.picture(LARGE_SIDE), run.settings), "nonce": random.random()}


@in_a_sentence
def search_strength(session: Session, strength: object, more_real: bool) -> float:
    """The next strength to try, between those that are still in question (see StrengthSearch).

    A strength that is not the one shown last was set by hand, and begins a new search.
    """
    strength, search = read_number("strength", strength), session.search
    if search is None or round(search.shown, 2) != round(strength, 2):
        search = StrengthSearch.at(strength)
    session.search = search.more_real() if more_real else search.closer_to_drawing()
    return round(session.search.shown, 2)

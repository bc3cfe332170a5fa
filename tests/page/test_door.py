"""What comes from a browser or a program is checked at the door, and said to be wrong in one sentence."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace

import httpx
import pytest

gr = pytest.importorskip("gradio")

from app_helpers import make_controls, start, values_of
from conftest import drawn
from diffusion.page import handlers
from diffusion.page.components import WEB
from diffusion.page.door import NO_ROOM, NOT_TAKEN
from diffusion.page.endpoints import Endpoints
from diffusion.page.messages import FAILED, Frame, Message
from diffusion.page.session import TOO_OLD, Place, Session, Ticket
from diffusion.page.settings import DEFAULTS, RANGES
from test_files import small_disk


@pytest.fixture(scope="module")
def controls():
    return make_controls()


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(handlers.gr, "Warning", said.append)
    return said


# ---- the controls


def test_an_empty_control_is_its_default(controls):
    empty = dict.fromkeys(controls.dials)
    settings = controls.read(values_of(controls, model=None, **empty))
    assert settings.model == "tiny" and settings.labels == {"subject": "apple", "style": "noto"}
    assert {name: getattr(settings, name) for name in empty} == {
        name: getattr(DEFAULTS, name) for name in empty
    }
    *_, done = start(controls, Session(), drawn(), seed=None)
    assert done["phase"] == "done" and done["settings"]["seed"] == DEFAULTS.seed


WRONG = ["7", "", math.nan, math.inf, -1e9, 10**400, [], {"a": 1}, True]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: f"{value!r:.10}")
@pytest.mark.parametrize("name", RANGES)
def test_no_number_or_one_out_of_range_ends_the_wait_with_a_sentence(controls, warnings, name, value):
    (message,) = start(controls, Session(), drawn(), **{name: value})
    assert message["phase"] == "idle" and warnings == [message["say"]]
    assert message["say"].startswith(f"{name.capitalize()} must be a number from ")
    assert len(message["say"]) < 120


@pytest.mark.parametrize(
    "chosen", [{"model": "x"}, {"model": ["tiny"]}, {"labels": [["apple"]]}, {"colour": 5}]
)
def test_so_does_a_name_or_a_switch_that_is_none(controls, warnings, chosen):
    (message,) = start(controls, Session(), drawn(), **chosen)
    assert message["phase"] == "idle" and warnings == [message["say"]]


def test_whole_numbers_may_come_as_floats(controls):
    settings = controls.read(values_of(controls, steps=12.0, seed=3.0, strength=1))
    assert (settings.steps, settings.seed, settings.strength) == (12, 3, 1.0)
    assert isinstance(settings.steps, int) and isinstance(settings.strength, float)


# ---- what a browser says of runs


@pytest.mark.parametrize("count", [0, 10, 300, -1, math.nan, "4", [4]])
def test_nobody_gets_more_pictures_than_the_page_offers(count):
    session = Session()
    with pytest.raises(gr.Error, match="1 to 9"):
        handlers.ask(session, count)
    assert session == Session(), "no run was asked for"


def test_what_a_run_is_asked_for_stays_on_the_server():
    session = Session()
    number, message = handlers.ask(session, 9)
    assert number == 1 and message["phase"] == "wait" and "count" not in message
    assert session.take(1) == Ticket(count=9)


PLACES = [
    (2, 0, 1), (1, 1, 1), (1, -1, 1), (1, 0, 0), (1, 0, -1), (1, 0, 7), (1, 0, 10**30), (True, 0, 1),
    ([1], 0, 1), (1, [0], 1), (1, 0, [1]), (1, 0.5, 1), (1, 0, 1.5), ("1", 0, 1), (None, None, None),
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_no_run_goes_on_from_a_step_that_is_not_kept(controls, warnings, place):
    session = Session()
    list(start(controls, session, drawn()))
    number, _ = handlers.ask_from(session, SimpleNamespace(**dict(zip(Place._fields, place))))
    (message,) = handlers.generate(session, number, controls, values_of(controls))
    assert message["phase"] == "idle" and message["say"] == TOO_OLD


@pytest.mark.parametrize("run, k", [(2, 0), (1, 1), (1, -1), ([1], 0), (1, {}), (True, 0), (1, 0.0)])
def test_no_picture_is_shown_that_is_not_kept(controls, run, k):
    session = Session()
    list(start(controls, session, drawn()))
    for handler in (handlers.choose_one, handlers.make_gif, handlers.make_large):
        with pytest.raises(gr.Error, match="too long ago"):
            handler(session, SimpleNamespace(run=run, k=k))
        with pytest.raises(gr.Error, match="too long ago"):
            handler(session, SimpleNamespace())


def test_the_drawing_is_not_sent_back_but_the_number_it_came_with_is(controls):
    session = Session()
    *_, done = start(controls, session, drawn())
    assert "drawing" not in done and done["drawn"] == 1
    assert drawn()["picture"] not in map(str, done.values())
    for number in (2, 3):
        *_, done = start(controls, session, "", after=Place(number - 1, 0, 3))
        assert done["start"] == number and done["drawn"] == 1, "it has the first run's drawing"


# ---- one kind of message


def fields_in_script(name: str) -> set[str]:
    """The fields of an object type in types.js, and of those that it is made of."""
    types = (WEB / "types.js").read_text(encoding="utf-8").replace("\n *", "\n")
    (body,) = re.findall(rf"@typedef ({{(?:[^{{}}]|{{[^{{}}]*}})*}}) {name}\b", types)
    made_of = {word for word in re.findall(r"\b[A-Z]\w+", body) if word in PARTS}
    return set(re.findall(r"(\w+)\??:", body)).union(*map(fields_in_script, made_of))


PARTS = {"Notice", "Place", "Frames", "Done", "Finished", "Chosen", "Download"}  # of a message


@pytest.mark.parametrize("message", [Message, Frame])
def test_python_and_the_script_name_the_same_fields(message):
    assert fields_in_script(message.__name__) == set(message.__annotations__)


def test_every_message_has_only_fields_that_are_known(controls):
    session = Session()
    sent = [handlers.ask(session)[1], *start(controls, session, drawn()), handlers.call_off(session)]
    picture = SimpleNamespace(run=2, k=0)
    asked = (handlers.choose_one, handlers.make_gif, handlers.make_large)
    sent += [handler(session, picture) for handler in asked]
    assert {name for message in sent for name in message} == set(Message.__annotations__)


def test_a_handler_that_fails_still_says_the_last_word(controls):
    @handlers.ends_waiting
    def broken(session, number):
        yield from ()
        raise ZeroDivisionError

    run = broken(Session(), 5)
    message = next(run)
    assert (message["run"], message["phase"], message["say"]) == (5, "idle", FAILED)
    with pytest.raises(gr.Error, match="try again"):
        next(run)


# ---- programs


def test_null_is_the_default_for_every_argument(controls):
    endpoints = Endpoints(controls.checkpoints)
    nothing = dict.fromkeys("picture subject style strength guidance seed eta colour model keep".split())
    *_, null = endpoints.generate(**nothing, steps=5)
    *_, default = endpoints.generate(steps=5)
    assert null.tobytes() == default.tobytes()
    assert len(endpoints.variations(**nothing, steps=5, count=None)) == 4
    assert len(list(endpoints.generate(steps=None))) == DEFAULTS.steps + 1


@pytest.mark.parametrize("name", [*RANGES, "count", "colour", "model", "subject"])
@pytest.mark.parametrize("value", [math.nan, "seven", 10**400, ["apple"]], ids=lambda value: f"{value!r:.8}")
def test_anything_else_is_one_sentence(controls, name, value):
    with pytest.raises(gr.Error) as error:
        Endpoints(controls.checkpoints).variations(**{"steps": 5, name: value})
    assert error.value.message.endswith(".") and "\n" not in error.value.message


def said_by(server, endpoint: str, *values) -> str:
    """The end of the event stream that a call by plain HTTP brings."""
    url = f"{server.url}gradio_api/call/{endpoint}"
    event = httpx.post(url, json={"data": values}).json()["event_id"]
    return httpx.get(f"{url}/{event}", timeout=30).text


def test_so_it_is_over_http(server):
    words = ["", "", 0.6, 5, 2, 7, 0, True, ""]
    assert "event: complete" in said_by(server, "generate", None, *words, None, 0.25, "", 10)
    assert "event: complete" in said_by(server, "generate", *[None] * 4, 5, *[None] * 9)
    for i, wrong in ((2, "much"), (3, [5]), (5, "7"), (6, 2), (7, "yes"), (8, {})):
        sent = [*words[:i], wrong, *words[i + 1 :]]
        text = said_by(server, "generate", None, *sent, None, 0.25, "", 10)
        assert "event: error" in text and ("must be" in text or "by its name" in text), text


FILES = [
    "x", 7, [], ["/etc/hostname"], {"path": None}, {"path": 5}, {"url": "http://127.0.0.1:1/x.png"},
    {"path": "", "size": "much"}, {"path": "a\0b"}, {"path": "x" * 5000}, {"path": ["/etc/hostname"]},
    *({"path": str(path)} for path in (WEB / "favicon.png", "/etc/hostname", "/", "../../etc/hostname")),
]  # fmt: skip
META = {"meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file!r:.40}")
def test_a_file_that_was_not_uploaded_is_refused_in_a_sentence(server, capfd, file):
    sent = [file, file | META] if isinstance(file, dict) else [file]
    for each in sent:
        text = said_by(server, "colour_in", each, "apple", "", "")
        assert "event: error" in text and "event: complete" not in text and NOT_TAKEN in text, text
    assert "Traceback" not in "".join(capfd.readouterr())


def test_so_is_a_call_with_more_or_fewer_values_than_there_are(server, capfd):
    for values in ([], [None], [None] * 40):
        assert "event: error" in said_by(server, "colour_in", *values)
    assert "Traceback" not in "".join(capfd.readouterr())


def test_without_room_for_files_there_is_a_sentence_too(server, capfd):
    values = [*[None] * 4, 20, *[None] * 9]
    upload = lambda: httpx.post(
        f"{server.url}gradio_api/upload", files={"files": ("a.png", bytes(10**5), "image/png")}
    )
    with small_disk():
        refused, said = upload(), said_by(server, "generate", *values)
        film = said_by(server, "animation", *values)
    assert (refused.status_code, refused.text) == (507, NO_ROOM)
    assert NO_ROOM in said and NO_ROOM in film
    assert "Traceback" not in "".join(capfd.readouterr())
    assert upload().status_code == 200

"""What is kept is bounded in bytes, whoever fills it; a run leaves a line in the log, and health is told."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

gr = pytest.importorskip("gradio")

from app_helpers import make_controls, start, values_of
from conftest import drawn, tiny_checkpoint
from diffusion.page import app, watch
from diffusion.page import session as session_module
from diffusion.page.endpoints import Endpoints
from diffusion.page.lesson_tab import look
from diffusion.page.session import Session
from diffusion.page.shelf import Shelf, tidy
from diffusion.page.worker import MODEL_THREAD


@pytest.fixture(scope="module")
def controls():
    return make_controls()


@dataclass(frozen=True)
class Thing:
    nbytes: int


@dataclass
class Tab:
    runs: dict[int, Thing] = field(default_factory=dict)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 60), st.booleans()), max_size=40))
def test_all_tabs_together_keep_so_many_bytes(events):
    shelf, tabs, order = Shelf(100), [Tab() for _ in range(5)], []
    for number, (tab, nbytes, closed) in enumerate(events):
        if closed:
            tabs[tab] = Tab()
        tabs[tab].runs[number] = Thing(nbytes)
        shelf.put(tabs[tab], number)
        order.append(number)
        kept = {n: thing for each in tabs for n, thing in each.runs.items()}
        assert sum(thing.nbytes for thing in kept.values()) == shelf.nbytes <= 100
        assert number in kept, "the newest is always there"
    kept = sorted(n for each in tabs for n in each.runs)
    gone = [n for n in order if n not in kept and not any(events[m][2] for m in range(n, len(events)))]
    assert not gone or not kept or max(gone) < max(kept), "the oldest go first"


def test_so_do_real_runs(controls, monkeypatch):
    tabs, one = [Session() for _ in range(4)], Session()
    list(start(controls, one, drawn()))
    monkeypatch.setattr(session_module, "SHELF", Shelf(2 * one.runs[1].nbytes + 10))
    for tab in tabs:
        list(start(controls, tab, drawn()))
    assert [len(tab.runs) for tab in tabs] == [0, 0, 1, 1]
    assert one.runs[1].nbytes > 512 * 512 * 3, "its drawing counts as well"


def test_files_are_tidied_by_age_and_by_bytes(tmp_path):
    for i in range(6):
        path = tmp_path / str(i) / "file"
        path.parent.mkdir()
        path.write_bytes(bytes(1000))
        os.utime(path, (path.stat().st_mtime - 100 * (6 - i),) * 2)
    os.utime(tmp_path / "5" / "file", (2e10, 2e10))  # the clock was set back since
    there = lambda: sorted(path.parent.name for path in tmp_path.rglob("file"))
    tidy(tmp_path, most=10_000, seconds=450)
    assert there() == ["2", "3", "4", "5"]
    tidy(tmp_path, most=2500, seconds=450)
    assert there() == ["4", "5"]
    tidy(tmp_path / "gone")


def test_a_folder_that_goes_meanwhile_ends_no_tidying(tmp_path, monkeypatch):
    for name in ("going", "staying"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(bytes(1000))
    look = os.scandir

    def gone(path):
        if os.fspath(path).endswith("going"):
            raise FileNotFoundError(path)
        return look(path)

    monkeypatch.setattr(os, "scandir", gone)
    tidy(tmp_path, most=0, seconds=0)
    assert not (tmp_path / "staying" / "file").exists()


def test_files_never_take_more_than_half_of_a_small_disk(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / name).write_bytes(bytes(1000))
    for total, left in ((5000, 2), (3000, 1), (1000, 0)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, total=total: SimpleNamespace(total=total))
        tidy(tmp_path)
        assert len(list(tmp_path.iterdir())) == left


def test_animations_lie_where_files_are_tidied(controls):
    path = Endpoints(controls.checkpoints).animation(subject="apple", steps=5)
    assert path.startswith(os.environ["GRADIO_TEMP_DIR"] + os.sep) and path.endswith(".gif")


def test_a_label_of_dots_and_slashes_makes_no_path():
    names = {"subject": ["../../x", "/etc/y"], "style": ["photo", "noto"]}
    checkpoint = tiny_checkpoint(names, [])
    for subject in names["subject"]:
        path = Endpoints({"odd": checkpoint}).animation(subject=subject, steps=5)
        assert os.path.realpath(path).startswith(os.path.realpath(os.environ["GRADIO_TEMP_DIR"]))


def lines(caplog) -> list[dict]:
    return [json.loads(record.message) for record in caplog.records if record.name == watch.LOG.name]


def test_every_run_leaves_a_line(controls, caplog):
    caplog.set_level(logging.INFO, watch.LOG.name)
    list(start(controls, Session(), drawn(), seed=3))
    stopped, session = Session(), Session()
    run = start(controls, stopped, drawn(), steps=50, strength=1)
    next(run), stopped.call_off(), list(run)
    broken = start(controls, session, drawn(), labels=("apple", "no such style"))
    list(broken)
    requests = Endpoints(controls.checkpoints)
    list(requests.generate(steps=5))
    left = requests.generate(steps=50)
    next(left), left.close()
    requests.variations(steps=5, count=4)
    found = lines(caplog)
    assert [line["outcome"] for line in found] == ["done", "stopped", "failed", "done", "stopped", "done"]
    assert found[0]["seed"] == 3 and found[0]["steps_done"] == 6 and found[0]["precision"]
    assert found[0]["labels"] == {"subject": "apple", "style": "noto"} and found[-1]["pictures"] == 4
    assert 0 < found[1]["steps_done"] < 50 and all(line["ms"] >= 0 for line in found)
    assert "base64" not in caplog.text


def test_health_is_whether_the_model_s_thread_answers(server, monkeypatch):
    answer = httpx.get(f"{server.url}health")
    about = answer.json()
    assert answer.status_code == 200 and about["status"] == "ok" and about["runs"] >= 0
    monkeypatch.setattr(watch, "PATIENCE", 0.05)
    free = threading.Event()
    MODEL_THREAD.submit(free.wait, 30)
    try:
        answer = httpx.get(f"{server.url}health")
        assert answer.status_code == 503 and answer.json()["status"] == "stuck"
    finally:
        free.set()


@pytest.mark.parametrize("port, moved", [("7860", False), ("7861", True)])
def test_a_port_that_is_taken_is_said(monkeypatch, capsys, port, moved):
    waited = []
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    monkeypatch.setattr(watch, "to_stderr", lambda: None)
    monkeypatch.setattr(app, "build", lambda: SimpleNamespace(block_thread=lambda: waited.append(True)))
    monkeypatch.setattr(app, "launch", lambda demo, **more: (None, f"http://127.0.0.1:{port}/", None))
    app.serve()
    assert waited and ("Port 7860 is taken" in capsys.readouterr().err) is moved


def test_a_drawing_of_any_size_is_kept_as_a_digest(controls):
    value = {"picture": drawn()["picture"], "keep": "", "more": "x" * 10**6}
    example = look(controls, values_of(controls, value), ["apple", "noto"])
    assert 0 < len(example.canvas) < 100

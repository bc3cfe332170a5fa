"""What a browser or a program sends, made odd: each call is answered, and the server stays well."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import asdict
from urllib.parse import parse_qsl

import httpx
import pytest

gr = pytest.importorskip("gradio")

from conftest import drawn, tiny_checkpoint
from diffusion.page.settings import RANGES, Settings, known_settings, read_settings
from fuzz import ODD, mutated, odd_json

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
JSON = {"Content-Type": "application/json"}
SETTINGS = Settings("tiny", {"subject": "cat", "style": "noto"}, seed=12)


def cases(count: int) -> Iterator[random.Random]:
    chosen = os.environ.get("CASES")
    for number in [int(chosen)] if chosen else range(count):
        yield random.Random(number)


def test_links_and_settings_in_files() -> None:
    """Whatever stands there: what is found can be set, and all else is left out."""
    checkpoints = {"tiny": tiny_checkpoint(), "plain": tiny_checkpoint({}, [])}
    link, text = SETTINGS.to_query(), json.dumps(asdict(SETTINGS))
    for rng in cases(600):
        odd = json.dumps(odd_json(rng, asdict(SETTINGS), 0.5)) if rng.random() < 0.5 else text
        chunk = mutated(rng, odd.encode()).decode(errors="replace")
        query = dict(parse_qsl(mutated(rng, link.encode()).decode(errors="replace")))
        for wishes in (query, read_settings(odd), read_settings(chunk)):
            found = known_settings(wishes, checkpoints, "tiny")
            model = found.get("model", "tiny")
            dials = {key: value for key, value in found.items() if key not in ("model", "labels")}
            made = Settings.read(model, found.get("labels", {}), **dials)
            for name, (low, high) in RANGES.items():
                assert low <= getattr(made, name) <= high and type(getattr(made, name)) is type(low)


def jsonable(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, UnicodeError):
        return False
    return not (isinstance(value, int) and abs(value) > 2**63)


def value_of(rng: random.Random, component: dict) -> object:
    """Usually what a component holds, sometimes something else."""
    if rng.random() < 0.25:
        return rng.choice([each for each in ODD if jsonable(each)])
    if component["type"] == "file":  # that was not uploaded
        file = {"path": "/etc/hostname", "url": None, "size": 3, "meta": {"_type": "gradio.FileData"}}
        odd = odd_json(rng, file, 0.4)
        return odd if rng.random() < 0.5 and jsonable(odd) else None
    if component["props"].get("elem_id") == "canvas":
        canvas = {**drawn(), "source": ""}
        return canvas if rng.random() < 0.5 else odd_json(rng, canvas, 0.4)
    value = component["props"].get("value")
    return value if jsonable(value) else None


def answer(client: httpx.Client, url: str, session: str) -> dict:
    """What comes of a queued call."""
    with client.stream("GET", f"{url}gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                message = json.loads(line[5:])
                if message["msg"] in ("process_completed", "close_stream", "unexpected_error"):
                    return message
    return {}


def test_every_endpoint(server, capfd) -> None:
    """The private ones too: with values of its own components, odd ones among them, and odd events."""
    with httpx.Client(timeout=30) as client:
        config = client.get(f"{server.url}config").json()
        components = {each["id"]: each for each in config["components"]}
        handlers = [each for each in config["dependencies"] if each["backend_fn"]]
        event = {"run": 1, "k": 0, "step": 1, "subject": "cat", "settings": {"seed": 3}, "text": "{}"}
        capfd.readouterr()
        faults = []
        for i, rng in enumerate(cases(300)):
            handler = handlers[i % len(handlers)]
            data = [value_of(rng, components[each]) for each in handler["inputs"]]
            sent = {"data": data, "fn_index": handler["id"], "session_hash": f"fuzz{i}"}
            odd = odd_json(rng, event, 0.4)
            if jsonable(odd) and (isinstance(odd, dict) or odd is None):
                sent["event_data"] = odd
            body = json.dumps(sent)  # with NaN and Infinity, which JSON has not, but Python reads
            started = time.monotonic()
            if handler["queue"]:
                joined = client.post(f"{server.url}gradio_api/queue/join", content=body, headers=JSON)
                if joined.status_code == 200:
                    assert answer(client, server.url, f"fuzz{i}"), handler["api_name"]
            else:
                client.post(f"{server.url}gradio_api/run/predict", content=body, headers=JSON)
            assert time.monotonic() - started < 30, handler["api_name"]
            said = capfd.readouterr()
            if "Traceback" in said.err + said.out:
                faults.append((i, handler["api_name"], odd, said.err[-300:]))
        assert not faults, "\n".join(map(str, faults))
        assert client.get(f"{server.url}health").json()["status"] == "ok"


def test_bodies_that_are_none(server) -> None:
    with httpx.Client(timeout=30) as client:
        good = json.dumps({"data": [None] * 11}).encode()
        for rng in cases(60):
            name = rng.choice(("generate", "colour_in", "labels"))
            body = mutated(rng, good)
            url, about = f"{server.url}gradio_api/call/{name}", {"Content-Type": "application/json"}
            answered = client.post(url, content=body, headers=about)
            assert answered.status_code < 600
        for path in (
            "queue/data?session_hash=x%00",
            "upload",
            "web/../../etc/passwd",
            "health?x=" + "a" * 9000,
        ):
            assert client.get(f"{server.url}{path}").status_code < 500
        assert client.get(f"{server.url}health").json()["status"] == "ok"


ARGUMENTS = {
    "picture": "data:image/png;base64,AAAA", "subject": "cat", "style": "noto", "strength": 0.5, "steps": 5,
    "guidance": 2.0, "seed": 3, "eta": 0.0, "colour": True, "model": "tiny", "keep": None, "count": 2,
}  # fmt: skip
TOOLS = ("generate", "variations", "animation", "colour_in", "add_noise", "labels", "none")


def called_as_tool(client: httpx.Client, url: str, name: str, arguments: object) -> dict:
    """What an assistant is answered."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    sent = {**call, "params": {"name": name, "arguments": arguments}}
    about = {"Accept": "application/json, text/event-stream"}
    answered = client.post(f"{url}gradio_api/mcp/", json=sent, headers=about)
    assert answered.status_code == 200, answered.text
    (line,) = (line for line in answered.text.splitlines() if line.startswith("data:"))
    return json.loads(line[5:])


def test_tools_of_assistants(server, capfd) -> None:
    pytest.importorskip("mcp")
    with httpx.Client(timeout=30) as client:
        capfd.readouterr()
        for i, rng in enumerate(cases(100)):
            name = TOOLS[i % len(TOOLS)]
            arguments = odd_json(rng, {key: ARGUMENTS[key] for key in rng.sample(list(ARGUMENTS), 5)}, 0.5)
            if not jsonable(arguments):
                continue
            answered = called_as_tool(client, server.url, name, arguments)
            if "error" in answered:
                assert answered["error"]["message"], answered
            elif answered["result"].get("isError"):
                said = answered["result"]["content"][0]["text"]
                assert said and said != "None" and "Error!" not in said and len(said) < 6000, (i, said)
            assert "Traceback" not in "".join(capfd.readouterr()), (i, name, arguments)
        nothing = dict.fromkeys(ARGUMENTS.keys() - {"count"}) | {"steps": 5}
        assert not called_as_tool(client, server.url, "generate", nothing)["result"].get("isError")
        assert client.get(f"{server.url}health").json()["status"] == "ok"

"""Many people at once, some of them rude: `python -m tests.load --sessions 20 --seconds 180`.

app.py serves in a process of its own. Sessions draw through its API, each with settings of its own; one call
in ten is left in the middle; who is refused tries again a second later. A flood of long jobs from one more of
them begins halfway. Figures are ratios: against one session alone on the same
machine, and of the server's memory at the end to its memory halfway. A picture belongs to its request if it
is the one that these settings make by themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
DRAWINGS = sorted((ROOT / "assets" / "drawings").glob("*.png"))
FLOOD = 30  # jobs at once, of one client
CHECKED = 30  # pictures that are made again by themselves


@dataclass
class Tally:
    """What came of the calls, from all threads."""

    done: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # each took
    times: list[float] = field(default_factory=list)  # when each was there
    refused: int = 0
    left: int = 0
    pictures: list[tuple[dict, np.ndarray]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def served() -> Iterator[tuple[str, int]]:
    """The page as people start it: its address, and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, place = f"http://127.0.0.1:{port}", {"GRADIO_SERVER_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=os.environ | place, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(120):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/health").is_success:
                    break
            time.sleep(1)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def megabytes(pid: int) -> float:
    """Of a process's memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1000


def wishes(rng: random.Random, names: list[str]) -> dict[str, Any]:
    """Settings that no other call has."""
    return {
        "picture": rng.choice(DRAWINGS), "subject": rng.choice(names),
        "seed": rng.randrange(2**31), "steps": rng.choice((5, 8)),
        "strength": round(rng.uniform(0.4, 0.9), 2),
    }  # fmt: skip


class Visitor:
    """One who asks as programs do, with HTTP alone: gradio_client takes a whole core."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/gradio_api", timeout=120)

    def ask(self, endpoint: str, **asked: Any) -> str:
        """A call's address; what happened to it can be heard there."""
        if path := asked.pop("picture", None):
            there = self.http.post("/upload", files={"files": (path.name, path.read_bytes())})
            meta = {"_type": "gradio.FileData"}
            asked["picture"] = {"path": there.raise_for_status().json()[0], "meta": meta}
        answer = self.http.post(f"/call/v2/{endpoint}", json=asked).raise_for_status()
        return f"/call/{endpoint}/{answer.json()['event_id']}"

    def hear(self, call: str, leave_after: float = math.inf) -> Any:
        """The last answer; None for one who leaves before it comes.

        Raises:
            RuntimeError: it was refused.
        """
        until = time.monotonic() + leave_after
        with self.http.stream("GET", call) as stream:
            event = ""
            for line in stream.iter_lines():
                if time.monotonic() > until:
                    return None
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif event == "complete":
                    return json.loads(line.removeprefix("data: "))[0]
                elif event == "error":
                    raise RuntimeError(line)
        raise RuntimeError("no answer")

    def picture(self, made: dict) -> np.ndarray:
        """The result of a call."""
        content = self.http.get(f"/file={made['path']}").raise_for_status().content
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def draw(url: str, number: int, until: float, tally: Tally, rude: bool = True) -> None:
    """One session, one call after the other, until the time is over."""
    rng, visitor = random.Random(number), Visitor(url)
    labels = visitor.hear(visitor.ask("labels"))
    names = next(iter(next(iter(labels.values()))["labels"].values()))
    while time.monotonic() < until:
        began, asked = time.monotonic(), wishes(rng, names)
        leaves = rude and rng.random() < 0.1
        try:
            made = visitor.hear(visitor.ask("generate", **asked), rng.uniform(0, 2) if leaves else math.inf)
        except (RuntimeError, httpx.HTTPError):  # a sentence of the queue's, or of ours
            with tally.lock:
                tally.refused += 1
            time.sleep(1)
            continue
        with tally.lock:
            if made is None:
                tally.left += 1
                continue
            tally.done[number] += 1
            tally.seconds.append(time.monotonic() - began)
            tally.times.append(time.monotonic())
            keeps = len(tally.pictures) < CHECKED
        if keeps:
            tally.pictures.append((asked, visitor.picture(made)))


def flood(url: str, until: float) -> None:
    """More jobs at once than the queue takes, of one who leaves before they are done."""
    visitor, rng = Visitor(url), random.Random(-1)
    calls = []
    for _ in range(FLOOD):
        with contextlib.suppress(httpx.HTTPError):  # refused
            calls.append(visitor.ask("generate", seed=rng.randrange(2**31), steps=50))
    waiting = [
        threading.Thread(target=hear_out, args=(url, call, until - time.monotonic())) for call in calls
    ]
    for each in waiting:
        each.start()
    for each in waiting:
        each.join()


def hear_out(url: str, call: str, seconds: float) -> None:
    """Wait for one call, so long."""
    with contextlib.suppress(RuntimeError, httpx.HTTPError):
        Visitor(url).hear(call, seconds)


def mixed_up(url: str, tally: Tally) -> int:
    """How many pictures are not what their settings make when nobody else is there."""
    visitor = Visitor(url)
    again = (visitor.picture(visitor.hear(visitor.ask("generate", **asked))) for asked, _ in tally.pictures)
    return sum(bool(np.abs(made - alone).mean() > 1) for alone, (_, made) in zip(again, tally.pictures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=180)
    args = parser.parse_args()
    with served() as (url, pid):
        measure(url, pid, args.sessions, args.seconds)


def measure(url: str, pid: int, sessions: int, seconds: float) -> None:
    """All of it, printed."""
    single, began = Tally(), time.monotonic()
    draw(url, 0, began + seconds / 6, single, rude=False)
    alone = sum(single.done.values()) / (time.monotonic() - began)

    tally, began = Tally(), time.monotonic()
    until, flooded = began + seconds, (began + seconds / 2, began + seconds * 5 / 6)
    threads = [threading.Thread(target=draw, args=(url, i, until, tally)) for i in range(1, sessions + 1)]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    early = megabytes(pid)
    rude = threading.Thread(target=flood, args=(url, flooded[1]))
    rude.start()
    for thread in [*threads, rude]:
        thread.join()
    late = megabytes(pid)

    before, during = (
        sum(start < at < end for at in tally.times) / (end - start) / alone
        for start, end in ((began, flooded[0]), flooded)
    )
    each = [tally.done[i] for i in range(1, sessions + 1)]
    waits = [statistics.median(each.seconds or [float("nan")]) for each in (tally, single)]
    print(f"{sessions} sessions, {sum(each)} pictures, {tally.refused} refused, {tally.left} left")
    print(f"throughput  {before:.2f} of one session alone; {during:.2f} beside the flood")
    print(f"waiting     {waits[0] / waits[1]:.1f} x that of one session alone, the median")
    print(f"slowest     {max(tally.seconds) / statistics.median(tally.seconds):.1f} x the median")
    print(f"fairness    {min(each) / max(1, max(each)):.2f}, the fewest pictures of a session to the most")
    print(f"memory      {late / early:.2f} x at the end what it was halfway")
    print(f"mixed up    {mixed_up(url, tally)} of {len(tally.pictures)} pictures made again by themselves")


if __name__ == "__main__":
    main()

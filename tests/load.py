"""Many people at once, some of them rude: `python -m tests.load --sessions 20 --seconds 180`.

app.py serves in a process of its own. Sessions draw through gradio_client, each with settings of its own; one
in ten calls is stopped, and clients leave in the middle; who is refused tries again a second later. A flood
of long jobs from one more of them begins halfway. Figures are ratios: against one session alone on the same
machine, and of the server's memory at the end to its memory halfway. A picture belongs to its request if it
is the one that these settings make by themselves.
"""

from __future__ import annotations

import argparse
import contextlib
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
from gradio_client import Client, handle_file
from PIL import Image

ROOT = Path(__file__).parents[1]
DRAWINGS = sorted((ROOT / "assets" / "drawings").glob("*.png"))
FLOOD = 30  # jobs at once, of one client
CHECKED = 30  # pictures that are made again by themselves
PATIENT = {"timeout": 120}  # seconds


@dataclass
class Tally:
    """What came of the calls, from all threads."""

    done: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # each took
    times: list[float] = field(default_factory=list)  # when each was there
    refused: int = 0
    stopped: int = 0
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
        "picture": handle_file(str(rng.choice(DRAWINGS))), "subject": rng.choice(names),
        "seed": rng.randrange(2**31), "steps": rng.choice((5, 8)),
        "strength": round(rng.uniform(0.4, 0.9), 2),
    }  # fmt: skip


def picture(made: str) -> np.ndarray:
    return np.asarray(Image.open(made).convert("RGB")).astype(int)


def draw(url: str, number: int, until: float, tally: Tally, rude: bool = True) -> None:
    """One session, one call after the other, until the time is over."""
    rng, client = random.Random(number), None
    names: list[str] = []
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            if client is None:
                client = Client(url, verbose=False, httpx_kwargs=PATIENT)
                labels = next(iter(client.predict(api_name="/labels").values()))["labels"]
                names, began = next(iter(labels.values())), time.monotonic()
            asked = wishes(rng, names)
            job = client.submit(**asked, api_name="/generate")
            if rude and rng.random() < 0.1:
                time.sleep(rng.uniform(0, 0.5))
                job.cancel()
                client = client if rng.random() < 0.5 else None  # it leaves, and somebody else comes
                with tally.lock:
                    tally.stopped += 1
                continue
            made = picture(job.result())
        except Exception:  # a sentence of the queue's, or of ours
            with tally.lock:
                tally.refused += 1
            time.sleep(1)
            continue
        with tally.lock:
            tally.done[number] += 1
            tally.seconds.append(time.monotonic() - began)
            tally.times.append(time.monotonic())
            if len(tally.pictures) < CHECKED:
                tally.pictures.append((asked, made))


def flood(url: str, until: float) -> None:
    """More jobs at once than the queue takes."""
    client, rng = Client(url, verbose=False, httpx_kwargs=PATIENT), random.Random(-1)
    jobs = [client.submit(seed=rng.randrange(2**31), steps=50, api_name="/generate") for _ in range(FLOOD)]
    time.sleep(max(0.0, until - time.monotonic()))
    for job in jobs:
        job.cancel()


def mixed_up(url: str, tally: Tally) -> int:
    """How many pictures are not what their settings make when nobody else is there."""
    client = Client(url, verbose=False, httpx_kwargs=PATIENT)
    again = (picture(client.predict(**asked, api_name="/generate")) for asked, _ in tally.pictures)
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
    print(f"{sessions} sessions, {sum(each)} pictures, {tally.refused} refused, {tally.stopped} stopped")
    print(f"throughput  {before:.2f} of one session alone; {during:.2f} beside the flood")
    print(f"waiting     {waits[0] / waits[1]:.1f} x that of one session alone, the median")
    print(f"slowest     {max(tally.seconds) / statistics.median(tally.seconds):.1f} x the median")
    print(f"fairness    {min(each) / max(1, max(each)):.2f}, the fewest pictures of a session to the most")
    print(f"memory      {late / early:.2f} x at the end what it was halfway")
    print(f"mixed up    {mixed_up(url, tally)} of {len(tally.pictures)} pictures made again by themselves")


if __name__ == "__main__":
    main()

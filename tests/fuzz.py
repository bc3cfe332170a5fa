"""Seeded mutations for tests/test_fuzz.py: of bytes, of JSON, of words on a command line."""

from __future__ import annotations

import json
import math
import random
import struct
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2, 7, 16, 255, 10**9, -(10**9), 2**31, 2**63, 10**30, 0.5, -0.0, 1e308,
    math.inf, -math.inf, math.nan, "", " ", "a", "\0", "\ud800", "é", "猫", "a" * 5000, "../../x", "%s", "{}",
    "1", "nan", [], [[]], {}, [0], [None], {"a": {}}, ["a"] * 50, [1, 2, 3], {"": 0},
]  # fmt: skip


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, cut out, put in, or repeated; or the end is missing."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at, length = rng.randrange(len(out) + 1), rng.choice((1, 2, 4, 16, 200))
        way = rng.randrange(6)
        if way == 0:
            out[at : at + length] = rng.randbytes(length)
        elif way == 1:
            del out[at : at + length]
        elif way == 2:
            out[at:at] = rng.randbytes(length)
        elif way == 3:
            out[at:at] = out[at : at + length]
        elif way == 4:
            out[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"))
        elif rng.random() < 0.3:
            del out[at:]
    return bytes(out)


def odd_json(rng: random.Random, value: Any, chance: float = 0.15) -> Any:
    """The same with some of its values, at any depth, replaced, dropped or doubled."""
    if rng.random() < chance:
        return rng.choice(ODD)
    if isinstance(value, dict):
        kept = {k: odd_json(rng, v, chance / 2) for k, v in value.items() if rng.random() > chance / 4}
        return kept | (
            {rng.choice(("x", "", "__class__")): rng.choice(ODD)} if rng.random() < chance / 2 else {}
        )
    if isinstance(value, list):
        several = [odd_json(rng, each, chance / max(3, len(value))) for each in value]
        if rng.random() < chance / 2:
            several.insert(rng.randrange(len(several) + 1), rng.choice(ODD))
        return several[: rng.randrange(len(several) + 1)] if rng.random() < chance / 3 else several
    if isinstance(value, int | float) and rng.random() < chance:
        return value * rng.choice((-1, 2, 0.5, 10**6, 10**12)) + rng.choice((-1, 0, 1))
    return value


def safetensors_with(rng: random.Random, content: bytes) -> bytes:
    """A weights file whose header, or the JSON in it, or numbers say something else."""
    size = int.from_bytes(content[:8], "little")
    header, rest = json.loads(content[8 : 8 + size]), content[8 + size :]
    way = rng.randrange(4)
    if way == 0:
        key = next(key for key in header["__metadata__"] if key != "format")
        about = odd_json(rng, json.loads(header["__metadata__"][key]))
        header["__metadata__"][key] = json.dumps(about)
    elif way == 1:
        header = odd_json(rng, header, 0.1)
    elif way == 2:
        at = rng.randrange(0, len(rest) - 4, 4)
        rest = (
            rest[:at] + struct.pack("<f", rng.choice((math.nan, math.inf, 1e38, -0.0, 3.0))) + rest[at + 4 :]
        )
    else:
        return mutated(rng, content)
    try:
        written = json.dumps(header).encode()
    except (ValueError, RecursionError):
        return content
    return len(written).to_bytes(8, "little") + written + rest


def odd_words(rng: random.Random, good: list[str], flags: list[str]) -> list[str]:
    """A command line with some words changed, left out, or added."""
    values = [
        "", "-1", "0", "1", "2", "1e999", "nan", "9" * 400, "x", "--", "-", "\udcff", "é", "a b", "é/é",
        "/dev/null", "gone.png", "note.txt", "in.png", "checkpoint.safetensors",
        "judge.safetensors", "0.5", "١", "1_0", "%(prog)s", "a" * 300, "@note.txt", "=", "true", "cpu",
    ]  # fmt: skip
    words = list(good)
    for _ in range(rng.choice((1, 1, 2, 3))):
        way, at = rng.randrange(4), rng.randrange(len(words) + 1)
        if way == 0:
            words[at:at] = [rng.choice(flags), rng.choice(values)]
        elif way == 1 and words:
            words[min(at, len(words) - 1)] = rng.choice(values)
        elif way == 2 and words:
            del words[min(at, len(words) - 1)]
        else:
            words += [rng.choice(flags), *rng.choices(values, k=rng.randrange(3))]
    return words

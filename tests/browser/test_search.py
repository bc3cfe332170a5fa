"""Which names fit what is typed: the rules of assets/web/words/search.js, without a page."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = [
    {"title": "Animal", "words": [
        {"name": "big cat", "aliases": ["lion"]}, {"name": "cat", "aliases": ["kitty"]},
        {"name": "t-rex", "aliases": []}, {"name": "caterpillar", "aliases": []},
        {"name": "cow", "aliases": ["cattle"]}, {"name": "elephant", "aliases": []},
    ]},
    {"title": "Drink", "words": [
        {"name": "coffee", "aliases": ["mug", "café"]}, {"name": "beer mugs", "aliases": []},
    ]},
]  # fmt: skip
SEARCH = """async ([groups, typed, way]) => {
  const { called, fitting, nearest } = await import('/words/search.js');
  if (way === 'called') return called(groups, typed)?.name ?? null;
  const found = (way === 'nearest' ? nearest : fitting)(groups, typed);
  return found.map(({ word, alias }) => (alias ? word.name + ' - ' + alias : word.name));
}"""


@pytest.mark.parametrize(
    "typed, found",
    [
        ("cat", ["cat", "caterpillar", "big cat", "cow - cattle"]),
        (" CAT ", ["cat", "caterpillar", "big cat", "cow - cattle"]),
        ("mug", ["coffee - mug", "beer mugs"]),
        ("cafe", ["coffee - caf\u00e9"]),
        ("T rex", ["t-rex"]),
        ("phan", ["elephant"]),
        ("drink", ["coffee", "beer mugs"]),
        ("elefant", []),
        (" ", []),
        ("", []),
    ],
)
def test_names_are_found_exact_ones_first_then_beginnings_aliases_and_parts(modules, typed, found):
    assert modules.evaluate(SEARCH, [NAMES, typed, "fitting"]) == found


@pytest.mark.parametrize(
    "typed, found", [("elefnat", "elephant"), ("coffe", "coffee"), ("kity", "cat - kitty"), ("cta", "cat")]
)
def test_a_slip_of_the_keys_finds_what_is_spelt_most_like_it(modules, typed, found):
    assert modules.evaluate(SEARCH, [NAMES, typed, "nearest"])[0] == found


def test_what_is_spelt_like_nothing_finds_nothing(modules):
    for typed in ("qqqqqqqq", "", "x" * 500):
        assert modules.evaluate(SEARCH, [NAMES, typed, "nearest"]) == []


def test_only_a_whole_name_or_alias_is_what_a_thing_is_called(modules):
    for typed, name in [("Cat", "cat"), ("mug", "coffee"), ("big  cat", "big cat"), ("ca", None), ("", None)]:
        assert modules.evaluate(SEARCH, [NAMES, typed, "called"]) == name


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(a=st.text("ab", max_size=6), b=st.text("ab", max_size=6), c=st.text("ab", max_size=6))
def test_the_distance_of_two_spellings(modules, a, b, c):
    measure = (
        "async (pairs) => pairs.map(([a, b]) => import('/words/search.js').then((m) => m.distance(a, b)))"
    )
    ask = f"async (pairs) => Promise.all(await ({measure})(pairs))"
    ab, ba, aa, longer = modules.evaluate(ask, [[a, b], [b, a], [a, a], [a, a + c]])
    assert ab == ba and aa == 0 and longer == len(c)
    assert abs(len(a) - len(b)) <= ab <= max(len(a), len(b)) and (ab == 0) == (a == b)

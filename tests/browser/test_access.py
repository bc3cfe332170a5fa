"""The page for people who read it aloud, need contrast, use the keyboard or cannot stand motion.

axe-core looks for what can be found without a person; it comes with `npm --prefix .github/web install`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .actions import draw_circle, wait_for

AXE = Path(__file__).parents[2] / ".github" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The list scrolls under the keys of its box, which has the focus: a combobox's has no stop of its own.
FOUND = """async (tags) => (await axe.run(document, {
  runOnly: tags, rules: { 'scrollable-region-focusable': { enabled: false } },
})).violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`))"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_axe_finds_nothing(open_page, scheme, size):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm --prefix .github/web install")
    page = open_page(color_scheme=scheme, reduced_motion="reduce", **(PHONE if size == "phone" else {}))
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(FOUND, RULES) == []
    draw_circle(page)
    page.click("#generate")
    wait_for(page, "done")
    page.click("[data-row=mine]")
    if size == "phone":
        page.click(".flip")
    assert page.evaluate(FOUND, RULES) == [], "with a picture"
    page.mouse.click(5, 5)
    page.click("#subject")
    assert page.evaluate(FOUND, RULES) == [], "with the list open"
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="How it works").click()
    page.wait_for_selector("#lesson figure img, #lesson figure canvas")
    assert page.evaluate(FOUND, RULES) == [], "how it works"


def test_what_happened_is_read_out_but_not_every_step(open_page, server):
    page = open_page()
    page.evaluate("""() => {
      window.said = [];
      const say = document.querySelector('.say');
      new MutationObserver(() => { if (say.ariaLive !== 'off') said.push(say.textContent); })
        .observe(say, { childList: true, characterData: true, subtree: true });
    }""")
    draw_circle(page)
    server.delay = 0.1
    page.click("#generate")
    wait_for(page, "done")
    server.delay = 0.0
    page.wait_for_function("document.querySelector('.say').textContent.includes('seed 7')")
    said = page.evaluate("said")
    assert said[0].startswith("Getting ready") and "seed 7." in said[-1]
    assert len(said) <= 6, said


def test_the_keyboard_shows_where_it_is(open_page):
    page = open_page()
    seen = 0
    for _ in range(60):
        page.keyboard.press("Tab")
        ring = page.evaluate("""() => {
          const there = document.activeElement;
          if (!there || there === document.body || !there.closest('#page')) return null;
          const shows = [there, there.parentElement, there.closest('label')].filter(Boolean).some((part) => {
            const { outlineStyle, outlineWidth, boxShadow, borderColor } = getComputedStyle(part);
            return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 || boxShadow !== 'none';
          });
          return [there.outerHTML.slice(0, 90), shows];
        }""")
        if ring:
            seen += 1
            assert ring[1], ring[0]
    assert seen > 30


def test_nothing_moves_for_those_who_asked_for_that(open_page):
    page = open_page(reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll('#page *')].filter((part) => {
      const { transitionDuration, animationName } = getComputedStyle(part);
      return parseFloat(transitionDuration) > 0 || animationName !== 'none';
    }).length"""
    assert page.evaluate(moving) == 0
    assert open_page().evaluate(moving) > 0

"""Coloured areas without an outline."""

from __future__ import annotations

from draw_examples import BLACK, BLUE, BROWN, DARK_GREEN, GREEN, ORANGE, PINK, RED, SKY, WHITE, YELLOW
from hand import CAREFUL, CHILD, FINGER, HASTY, MOUSE, TODDLER, Hand, draws

LIME = (186, 206, 60)


@draws("apple", "coloured", FINGER)
def apple(h: Hand) -> None:
    h.shape("50,32 64,25 82,34 84,58 70,84 50,86 30,84 16,58 18,34 36,25", RED, RED)
    h.straight("50,32 53,16", BROWN, 4)
    h.shape("55,20 68,10 82,14 72,25", GREEN, GREEN)


@draws("tree", "coloured", TODDLER)
def tree(h: Hand) -> None:
    h.box("42,56 58,56 60,94 40,94", BROWN, BROWN)
    h.ring(50, 36, 34, 28, GREEN, GREEN)


@draws("cat", "coloured", CHILD)
def cat(h: Hand) -> None:
    h.shape("38,54 60,50 80,56 84,70 78,80 40,80", ORANGE, ORANGE)
    for x in (44, 54, 70, 78):
        h.straight(f"{x},76 {x},93", ORANGE, 6)
    h.curve("82,62 92,50 90,34", ORANGE, 5)
    h.shape("16,38 15,14 28,24 40,24 52,13 52,38 46,54 34,58 22,54", ORANGE, ORANGE)
    h.spot(27, 37, 2.2)
    h.spot(42, 37, 2.2)
    h.spot(34, 45, 1.8, PINK)
    for whisker in ("28,46 10,43", "28,49 11,53", "41,46 60,43", "41,49 59,53"):
        h.straight(whisker, BLACK, 1.1)


@draws("whale", "coloured", HASTY)
def whale(h: Hand) -> None:
    h.shape("8,58 12,40 30,32 50,34 66,48 80,50 84,38 74,28 86,30 97,26 94,42 90,60 76,74 46,78 18,74",
            BLUE, BLUE)
    h.spot(24, 50, 2, WHITE)
    h.curve("10,62 22,66 34,62", WHITE, 1.8)
    h.curve("34,30 34,18 26,12", SKY, 3)
    h.curve("34,20 40,12 46,13", SKY, 3)


@draws("pear", "coloured", CAREFUL)
def pear(h: Hand) -> None:
    h.shape("50,20 60,25 63,40 74,54 78,72 68,88 50,92 31,88 22,72 27,54 38,40 40,25",
            LIME, LIME)
    h.straight("50,21 53,8", BROWN, 3)


@draws("sunflower", "coloured", MOUSE)
def sunflower(h: Hand) -> None:
    h.curve("50,46 52,70 50,97", DARK_GREEN, 4)
    h.shape("51,84 64,68 80,66 70,82", GREEN, GREEN)
    for x, y in ((50, 12), (63, 16), (71, 26), (71, 40), (62, 51), (50, 55), (37, 51), (29, 40), (29, 26),
                 (38, 16)):
        h.ring(x, y, 8, 8, YELLOW, YELLOW)
    h.ring(50, 33, 14, 14, BROWN, BROWN)

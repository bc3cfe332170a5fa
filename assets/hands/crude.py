"""First drawings: large, clumsy, out of proportion."""

from __future__ import annotations

from draw_examples import BLUE, BROWN, DARK_GREEN, GREEN, ORANGE, PINK, RED, YELLOW
from hand import CHILD, FINGER, HASTY, TODDLER, Hand, draws


@draws("cat", "crude", TODDLER)
def cat(h: Hand) -> None:
    h.ring(32, 34, 22, 19)
    h.straight("16,22 15,4 30,16")
    h.straight("38,16 52,5 50,24")
    h.ring(62, 62, 24, 14)
    for leg in ("46,72 44,92", "56,75 56,95", "70,75 71,94", "80,70 83,90"):
        h.straight(leg)
    h.curve("86,58 96,44 90,30 96,20")
    h.spot(25, 30, 2)
    h.spot(39, 30, 2)
    h.spot(32, 38, 1.6)
    h.curve("24,43 32,47 40,42")
    for whisker in ("20,38 2,34", "20,42 3,46", "44,38 62,35", "44,42 60,46"):
        h.straight(whisker)


@draws("dog", "crude", HASTY)
def dog(h: Hand) -> None:
    h.ring(24, 38, 15, 13)
    h.curve("32,28 42,28 44,46 36,48")
    h.straight("36,48 78,46 80,66 36,66")
    for leg in ("40,66 38,86", "48,66 48,87", "70,66 70,88", "79,66 82,87"):
        h.straight(leg)
    h.curve("79,48 90,40 94,26")
    h.spot(20, 34, 2)
    h.spot(9, 42, 3.4)
    h.curve("14,46 20,48 26,45")


@draws("fish", "crude", FINGER, ink=BLUE)
def fish(h: Hand) -> None:
    h.curve("72,54 58,66 38,70 16,62 8,50 18,36 38,30 58,36 74,52")
    h.straight("70,50 94,30 92,74 68,54")
    h.curve("40,42 47,50 40,58")
    h.spot(24, 45, 2.4)
    h.curve("12,56 20,58 26,55")


@draws("tree", "crude", TODDLER)
def tree(h: Hand) -> None:
    h.straight("44,56 42,92", BROWN, 4)
    h.straight("56,56 58,93", BROWN, 4)
    h.curve("50,14 70,16 84,34 74,54 50,58 26,54 14,36 26,18 46,10 66,22 74,40 58,54 34,50 22,36 36,22"
            " 54,20 66,34 54,46 36,40", GREEN, 4)


@draws("flower", "crude", CHILD)
def flower(h: Hand) -> None:
    h.straight("50,44 52,96", DARK_GREEN, 2.6)
    h.ring(50, 30, 8, 8, YELLOW)
    for x, y in ((50, 12), (66, 20), (68, 38), (54, 48), (36, 44), (31, 26)):
        h.ring(x, y, 8, 8, PINK)
    h.curve("51,78 64,64 74,70 53,84", DARK_GREEN)


@draws("house", "crude", TODDLER)
def house(h: Hand) -> None:
    h.straight("18,44 20,90 82,88 80,44 18,45")
    h.straight("14,46 48,10 88,44")
    h.straight("40,88 42,62 58,63 58,88")
    h.ring(30, 56, 5, 5)
    h.ring(69, 56, 5, 5)


@draws("butterfly", "crude", CHILD)
def butterfly(h: Hand) -> None:
    h.straight("50,28 50,82", None, 4)
    h.ring(29, 36, 20, 17, ORANGE)
    h.ring(72, 36, 20, 17, ORANGE)
    h.ring(33, 68, 15, 13, YELLOW)
    h.ring(68, 68, 15, 13, YELLOW)
    h.straight("50,28 38,10")
    h.straight("50,28 62,10")


@draws("girl", "crude", CHILD)
def girl(h: Hand) -> None:
    h.ring(50, 24, 16, 15)
    h.curve("36,14 26,26 28,44", BROWN, 4)
    h.curve("64,14 74,26 72,44", BROWN, 4)
    h.curve("34,20 42,9 58,9 66,19", BROWN, 4)
    h.box("50,40 74,76 27,76", RED)
    h.straight("42,50 20,58")
    h.straight("58,50 80,57")
    h.straight("42,77 41,95 35,96")
    h.straight("58,77 59,95 65,96")
    h.spot(44, 23)
    h.spot(56, 23)
    h.curve("43,30 50,34 57,30")


@draws("bird", "crude", FINGER, ink=BLUE)
def bird(h: Hand) -> None:
    h.ring(50, 56, 26, 16)
    h.ring(24, 38, 12, 11)
    h.straight("13,36 2,41 14,43", ORANGE)
    h.straight("75,54 96,46 94,62 75,60")
    h.curve("42,52 52,64 64,52")
    h.straight("44,72 42,90", ORANGE)
    h.straight("56,72 56,90", ORANGE)
    h.spot(22, 36)

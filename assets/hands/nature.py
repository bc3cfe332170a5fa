"""Plants, sky and weather."""

from __future__ import annotations

import numpy as np
from draw_examples import BLUE, BROWN, DARK_GREEN, GREEN, ORANGE, PINK, PURPLE, RED, YELLOW
from hand import CAREFUL, CHILD, FINGER, HASTY, MOUSE, TOUCHPAD, Hand, draws


def around(x: float, y: float, inner: float, outer: float, count: int, turn: float = 0.0) -> list[str]:
    """Rays from a ring outwards, each a stroke."""
    angles = 2 * np.pi * np.arange(count) / count + turn
    return [" ".join(f"{x + r * np.cos(a)},{y + r * np.sin(a)}" for r in (inner, outer)) for a in angles]


@draws("tree", "pen", HASTY)
def tree(h: Hand) -> None:
    h.curve("43,64 44,78 38,94")
    h.curve("57,64 57,78 63,94")
    for bump in ("43,64 32,70 22,64 23,54", "23,54 11,52 9,40 18,34", "18,34 16,22 26,15 35,19",
                 "35,19 40,7 55,6 61,16", "61,16 73,12 82,21 78,31", "78,31 90,34 92,47 82,53",
                 "82,53 80,66 68,70 57,64", "57,64 50,68 43,64"):
        h.curve(bump)
    h.curve("49,34 54,31 58,36")
    h.curve("32,46 37,43 41,47")
    h.curve("60,50 65,47 69,51")


@draws("tree", "scribble", CHILD)
def tree_scribbled(h: Hand) -> None:
    h.box("43,58 56,58 58,92 41,92", BROWN, BROWN)
    h.shape("50,8 70,13 84,30 82,50 66,62 50,60 32,62 17,48 17,28 31,13", GREEN, DARK_GREEN)
    for x, y in ((34, 32), (60, 26), (68, 44), (44, 48)):
        h.ring(x, y, 3, 3, RED, RED)


@draws("pine tree", "thick", TOUCHPAD)
def pine_tree(h: Hand) -> None:
    h.straight("50,6 30,32 40,32 22,54 34,54 14,78 86,78 66,54 77,54 60,32 70,32 50,6")
    h.straight("43,78 43,94 57,94 57,78")


@draws("flower", "colourpen", FINGER, ink=PURPLE)
def flower(h: Hand) -> None:
    h.ring(50, 34, 9)
    h.curve("45,26 38,10 50,4 62,10 55,26")
    h.curve("57,28 72,16 82,26 76,38 59,36")
    h.curve("58,39 74,46 72,59 60,60 53,43")
    h.curve("48,43 42,60 29,59 27,46 42,39")
    h.curve("41,36 24,39 18,26 28,17 43,28")
    h.curve("50,58 52,74 50,96")
    h.curve("51,82 64,66 76,70 68,82 51,85")


@draws("flower", "pen", CAREFUL, place=(-8, 12, 0.85))
def flower_plain(h: Hand) -> None:
    h.ring(50, 32, 8)
    for a in np.radians(np.arange(0, 360, 45)):
        h.ring(50 + 17 * np.cos(a), 32 + 17 * np.sin(a), 7.5)
    h.curve("50,58 48,76 50,95")
    h.curve("49,80 36,66 24,68 32,80 49,84")
    h.curve("49,86 62,74 74,76 66,87 50,90")


@draws("tulip", "coloured", MOUSE)
def tulip(h: Hand) -> None:
    h.curve("50,52 51,72 49,96", DARK_GREEN, 3)
    h.shape("49,94 30,80 22,56 36,68", GREEN)
    h.shape("51,94 68,82 78,58 64,70", GREEN)
    h.shape("30,14 40,26 50,10 60,26 70,13 73,34 66,50 50,55 34,50 27,34", RED)
    h.curve("40,26 36,38 40,50")
    h.curve("60,26 64,38 60,50")


@draws("sun", "pen", CHILD, place=(36, -6, 0.62))
def sun(h: Hand) -> None:
    h.ring(50, 50, 20)
    for ray in around(50, 50, 25, 42, 10, 0.2):
        h.straight(ray)


@draws("sun", "scribble", FINGER, ink=ORANGE)
def sun_scribbled(h: Hand) -> None:
    h.ring(48, 50, 22, 21, YELLOW)
    for ray in around(48, 50, 27, 44, 13):
        h.straight(ray, YELLOW, 2.8)


@draws("sun face", "pen", MOUSE)
def sun_face(h: Hand) -> None:
    h.ring(50, 50, 26)
    for k in range(12):
        a, b, c = np.radians([30 * k - 9, 30 * k, 30 * k + 9])
        h.straight(" ".join(f"{50 + r * np.cos(t)},{50 + r * np.sin(t)}"
                            for r, t in ((28, a), (44, b), (28, c))))
    h.spot(41, 45, 2)
    h.spot(59, 45, 2)
    h.curve("37,56 44,63 56,63 63,56")


@draws("moon", "thick", HASTY, place=(14, 8, 0.8))
def moon(h: Hand) -> None:
    h.curve("62,8 38,14 20,34 18,58 32,80 56,91 82,82")
    h.curve("82,82 60,76 47,58 46,34 62,8")


@draws("star", "doublestroke", TOUCHPAD)
def star(h: Hand) -> None:
    h.straight("22,90 50,8 78,90 8,38 92,38 22,90")


@draws("star", "coloured", CHILD)
def star_coloured(h: Hand) -> None:
    h.box("50,8 61,36 92,38 68,57 77,90 50,71 23,90 32,57 8,38 39,36", YELLOW)


@draws("cloud", "pen", CAREFUL, place=(6, -8, 0.8))
def cloud(h: Hand) -> None:
    for bump in ("22,70 10,70 6,58 12,50 20,48", "20,48 18,36 27,29 37,33", "37,33 42,20 58,18 65,30",
                 "65,30 76,27 84,35 81,46", "81,46 93,48 96,60 89,69 76,70"):
        h.curve(bump)
    h.curve("22,70 50,71 76,70")


@draws("rain cloud", "crude", FINGER, ink=BLUE)
def rain_cloud(h: Hand) -> None:
    h.curve("22,52 8,48 10,34 24,32 30,16 48,18 58,8 74,16 78,28 92,34 90,48 76,53 50,50 22,52")
    for x, y in ((22, 62), (38, 60), (54, 63), (70, 60), (30, 78), (46, 78), (62, 79), (78, 76)):
        h.straight(f"{x},{y} {x - 4},{y + 10}")


@draws("rainbow", "coloured", FINGER)
def rainbow(h: Hand) -> None:
    for k, colour in enumerate((RED, ORANGE, YELLOW, GREEN, BLUE, PURPLE)):
        h.arc(50, 76, 43 - 5.6 * k, 50 - 5.8 * k, 180, 360, colour, 5.2)


@draws("rainbow", "unfinished", MOUSE)
def rainbow_unfinished(h: Hand) -> None:
    h.arc(50, 74, 43, 48, 180, 360, RED, 3.4)
    h.arc(50, 74, 37, 41, 180, 360, ORANGE, 3.4)
    h.arc(50, 74, 31, 34, 180, 296, YELLOW, 3.4)
    h.curve("4,80 4,74 12,74 16,68 24,72 26,80 14,82 4,80")


@draws("cactus", "coloured", HASTY)
def cactus(h: Hand) -> None:
    h.shape("41,74 41,30 44,14 50,10 56,14 59,30 59,74", GREEN)
    h.shape("41,58 28,56 20,48 20,32 25,28 30,32 30,44 41,48", GREEN)
    h.shape("59,52 68,48 70,34 74,29 79,34 79,50 70,60 59,62", GREEN)
    for x, y in ((46, 24), (54, 34), (46, 44), (53, 56), (46, 66), (25, 40), (74, 44)):
        h.straight(f"{x},{y} {x + 2.5},{y - 3}", None, 1)
    h.box("32,74 68,74 64,95 36,95", (198, 104, 60))
    h.ring(50, 8, 4, 4, PINK)


@draws("mountain", "thin", FINGER)
def mountain(h: Hand) -> None:
    h.straight("4,84 36,22 58,62")
    h.straight("48,46 66,32 96,84")
    h.straight("4,84 96,84")
    h.straight("27,40 33,45 36,39 41,46 46,41")
    h.straight("59,38 64,43 68,38 72,43")


@draws("leaf", "colourpen", TOUCHPAD, ink=DARK_GREEN, place=(18, 10, 0.76))
def leaf(h: Hand) -> None:
    h.curve("16,84 20,56 36,32 60,18 86,14 84,40 70,64 46,80 22,78")
    h.curve("8,94 26,74 54,46 80,20")
    for vein in ("36,64 36,48", "48,52 48,36", "60,40 62,26", "38,63 54,64", "50,51 67,52", "62,38 76,38"):
        h.straight(vein)


@draws("snowman", "doublestroke", FINGER, place=(-14, 8, 0.9))
def snowman(h: Hand) -> None:
    h.ring(50, 72, 23, 20)
    h.ring(50, 42, 15, 13)
    h.ring(50, 22, 9, 9)
    h.spot(47, 20, 1)
    h.spot(54, 20, 1)
    h.straight("50,23 60,25 50,26")
    h.straight("40,14 60,13")
    h.straight("44,13 44,3 56,3 56,13")
    h.straight("36,40 18,28")
    h.straight("64,40 83,29")
    for y in (38, 46, 62, 72):
        h.spot(50, y, 1.2)


@draws("lightning", "thin", CHILD, place=(26, 6, 0.7))
def lightning(h: Hand) -> None:
    h.straight("58,6 26,54 46,53 34,94 76,38 54,40 70,6 58,6")

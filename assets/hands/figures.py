"""Figures, faces and what is worn."""

from __future__ import annotations

from draw_examples import BLUE, GREY, ORANGE, PURPLE, RED, SKY, YELLOW
from hand import CHILD, FINGER, HASTY, MOUSE, TOUCHPAD, Hand, draws


@draws("glasses", "thick", TOUCHPAD)
def glasses(h: Hand) -> None:
    h.ring(27, 52, 18)
    h.ring(73, 52, 18)
    h.curve("45,50 50,45 55,50")
    h.straight("10,46 3,34")
    h.straight("90,46 97,34")


@draws("top hat", "crude", HASTY)
def top_hat(h: Hand) -> None:
    h.box("30,18 70,16 68,68 32,70", (60, 60, 66))
    h.straight("32,58 68,57", RED, 5)
    h.curve("8,70 30,76 50,77 70,75 92,68")
    h.curve("8,70 30,66 70,65 92,68")


@draws("sneaker", "thin", MOUSE)
def sneaker(h: Hand) -> None:
    h.curve("12,34 10,50 9,68 9,74")
    h.curve("12,34 22,40 34,36 40,30")
    h.curve("40,30 50,44 62,54 82,58 92,66 93,74")
    h.straight("9,68 92,68")
    h.curve("9,74 12,79 50,80 90,79 93,74")
    for lace in ("44,45 51,37", "49,50 57,43", "55,54 63,48"):
        h.straight(lace)
    h.curve("76,58 72,63 74,68")
    h.curve("18,56 28,60 42,50")


@draws("t-shirt", "pen", TOUCHPAD)
def t_shirt(h: Hand) -> None:
    h.straight("38,14 14,26 6,48 22,54 28,44 28,88 72,88 72,44 78,54 94,47 86,26 62,14")
    h.curve("38,14 43,23 50,25 57,23 62,14 38,14")


@draws("crown", "thick", MOUSE)
def crown(h: Hand) -> None:
    h.straight("14,80 10,30 32,54 50,18 68,54 90,30 86,80 14,80")
    h.spot(10, 26, 4)
    h.spot(50, 14, 4)
    h.spot(90, 26, 4)


@draws("ghost", "pen", CHILD, place=(10, 4, 0.84))
def ghost(h: Hand) -> None:
    h.curve("20,88 20,50 26,24 50,10 72,22 80,48 81,88 72,78 62,89 52,79 42,90 32,79 20,88")
    h.ring(40, 40, 4, 6)
    h.ring(60, 40, 4, 6)
    h.ring(50, 58, 5, 6)


@draws("robot", "coloured", HASTY)
def robot(h: Hand) -> None:
    h.straight("50,18 50,8", None, 2)
    h.ring(50, 7, 3.4, 3.4, RED)
    h.box("32,18 68,18 68,42 32,42", (176, 186, 200))
    h.ring(42, 28, 4, 4, YELLOW)
    h.ring(58, 28, 4, 4, YELLOW)
    h.straight("40,37 60,37")
    h.box("27,46 73,46 73,76 27,76", (140, 160, 186))
    h.box("37,53 63,53 63,66 37,66", SKY)
    h.box("13,48 24,48 24,70 13,70", GREY)
    h.box("76,48 87,48 87,70 76,70", GREY)
    h.box("33,78 45,78 45,95 33,95", GREY)
    h.box("55,78 67,78 67,95 55,95", GREY)


@draws("hand", "thick", CHILD)
def hand(h: Hand) -> None:
    h.curve("36,94 34,78 20,66 8,50 14,45 24,50 32,56 28,38 24,18 30,14 36,22 40,40 43,24 46,6 53,8 54,24"
            " 54,40 60,26 66,14 72,17 70,32 66,46 76,36 84,30 87,36 80,50 70,66 64,80 64,94")


@draws("eye", "thin", FINGER)
def eye(h: Hand) -> None:
    h.curve("6,52 24,34 50,27 76,34 94,52 76,67 50,73 24,67 6,52")
    h.ring(50, 50, 20)
    h.ring(50, 50, 8)
    h.blot("46,46 54,46 55,54 46,55")
    for lash in ("20,36 13,26", "34,29 30,18", "50,26 50,14", "66,29 71,18", "80,36 88,27"):
        h.straight(lash)


@draws("happy face", "thick", CHILD)
def happy_face(h: Hand) -> None:
    h.ring(50, 50, 40)
    h.spot(36, 38, 3.4)
    h.spot(64, 38, 3.4)
    h.curve("28,58 38,70 52,73 64,69 72,57")


@draws("sad face", "colourpen", TOUCHPAD, ink=BLUE)
def sad_face(h: Hand) -> None:
    h.ring(50, 50, 39)
    h.spot(37, 42, 2.6)
    h.spot(63, 42, 2.6)
    h.curve("32,72 42,62 58,61 69,71")


@draws("sock", "scribble", HASTY)
def sock(h: Hand) -> None:
    h.shape("34,10 62,10 62,50 82,66 86,80 74,90 58,84 36,66 34,40", PURPLE)
    h.box("32,8 64,8 64,20 32,20", ORANGE)
    h.curve("36,66 44,58 46,52")

"""What is eaten and drunk."""

from __future__ import annotations

from draw_examples import BROWN, DARK_GREEN, GREEN, ORANGE, PINK, RED, SKY, TAN, WHITE, YELLOW
from hand import CAREFUL, CHILD, FINGER, HASTY, MOUSE, TOUCHPAD, Hand, draws


@draws("apple", "doublestroke", HASTY, place=(8, 6, 0.7))
def apple(h: Hand) -> None:
    h.curve("50,30 62,24 78,28 86,44 82,66 70,84 58,88 50,84 42,88 28,84 16,66 14,44 22,28 38,24 50,30")
    h.curve("50,30 50,20 56,10")
    h.curve("54,20 64,10 78,14 70,24 54,22")


@draws("apple", "thick", CHILD)
def apple_thick(h: Hand) -> None:
    h.curve("51,32 64,26 82,34 84,56 72,82 52,86 30,82 16,58 18,36 36,26 51,32")
    h.straight("51,32 54,12")


@draws("banana", "pen", TOUCHPAD, place=(10, 14, 0.74))
def banana(h: Hand) -> None:
    h.curve("76,12 84,16 88,36 80,58 62,78 38,87 16,83 12,76 16,70")
    h.curve("16,70 36,68 54,57 66,42 73,26 76,12")
    h.straight("76,12 77,5 83,6 84,16")
    h.curve("80,22 78,40 66,60 46,74 24,78")


@draws("pear", "thick", FINGER)
def pear(h: Hand) -> None:
    h.curve("50,20 60,25 63,40 74,54 78,72 68,88 50,92 31,88 22,72 27,54 38,40 40,25 50,20")
    h.curve("50,20 50,12 56,6")
    h.curve("56,13 70,6 78,14 66,20 56,14")


@draws("strawberry", "thin", CAREFUL, place=(12, 18, 0.74))
def strawberry(h: Hand) -> None:
    h.curve("50,28 66,24 81,33 82,50 70,72 52,91 47,90 30,72 18,50 19,33 34,24 50,28")
    h.straight("50,28 42,35 38,27 26,33 30,23 20,17 34,17 42,9 50,18 58,9 65,17 80,17 70,24 74,33 61,27"
               " 57,35 50,28")
    h.curve("50,18 52,8")
    for x, y in ((32, 44), (46, 42), (60, 43), (72, 44), (39, 54), (53, 54), (66, 54), (46, 66), (59, 66),
                 (52, 78)):
        h.straight(f"{x},{y} {x},{y + 2.4}")


@draws("cherry", "crude", CHILD)
def cherry(h: Hand) -> None:
    h.curve("30,60 38,36 58,12", DARK_GREEN)
    h.curve("70,62 68,38 58,12", DARK_GREEN)
    h.ring(29, 74, 16, 15, RED)
    h.ring(71, 77, 15, 15, RED)
    h.shape("60,13 72,6 88,14 76,22", GREEN)


@draws("watermelon", "coloured", CAREFUL)
def watermelon(h: Hand) -> None:
    h.shape("6,34 12,58 28,76 50,82 72,76 88,58 94,34 50,36", GREEN, DARK_GREEN)
    h.shape("14,37 20,56 33,69 50,73 67,69 80,56 86,37 50,38", RED, WHITE)
    for x, y in ((32, 46), (44, 48), (57, 47), (69, 46), (38, 58), (51, 59), (62, 57)):
        h.straight(f"{x},{y} {x + 0.4},{y + 2.6}", None, 2.2)


@draws("carrot", "scribble", FINGER)
def carrot(h: Hand) -> None:
    for leaf in ("66,30 62,12 68,6", "70,30 76,14 84,8", "72,34 86,26 94,26"):
        h.curve(leaf, DARK_GREEN, 3.4)
    h.shape("60,30 70,29 75,38 72,46 50,68 14,92 10,90 32,56 52,36", ORANGE, (206, 92, 20))
    h.curve("46,46 52,50")
    h.curve("34,62 42,64")


@draws("carrot", "pen", CAREFUL, place=(-10, 4, 0.9))
def carrot_pen(h: Hand) -> None:
    h.curve("36,34 46,30 56,31 64,35 60,58 52,84 48,95 44,84 38,58 36,34")
    h.curve("46,30 38,16 30,10 36,7 44,14 46,4 52,4 51,15 58,6 64,9 57,18 54,30")
    h.curve("37,46 44,47")
    h.curve("62,54 54,55")
    h.curve("42,68 49,69")


@draws("ice cream", "pen", MOUSE)
def ice_cream(h: Hand) -> None:
    h.straight("31,48 50,95 70,47")
    h.curve("28,48 24,36 30,20 44,12 58,12 70,22 75,36 72,48 64,44 57,51 49,45 41,52 35,45 28,48")
    for a in ("38,62 62,50", "44,78 67,58", "36,53 58,74", "47,51 64,62"):
        h.straight(a)


@draws("ice cream", "colourpen", CHILD, ink=PINK)
def ice_cream_scoops(h: Hand) -> None:
    h.straight("34,56 50,94 66,56 34,56")
    h.ring(40, 46, 13)
    h.ring(60, 45, 13)
    h.ring(50, 28, 13)
    h.spot(50, 12, 3)


@draws("pizza", "pen", FINGER)
def pizza(h: Hand) -> None:
    h.curve("8,26 28,14 50,11 72,14 92,26 90,33 72,24 50,21 28,24 10,34 8,26")
    h.straight("13,33 50,94 87,32")
    h.ring(38, 38, 7)
    h.ring(62, 40, 7)
    h.ring(50, 62, 6.5)
    h.spot(50, 32, 1)
    h.spot(49, 76, 1)


@draws("birthday cake", "coloured", TOUCHPAD)
def birthday_cake(h: Hand) -> None:
    h.box("16,52 84,52 84,88 16,88", PINK)
    h.shape("14,50 30,48 50,47 70,48 86,50 86,58 78,64 70,57 62,66 54,57 45,66 36,57 28,65 20,58 14,58",
            WHITE)
    h.straight("8,90 92,90", None, 2.4)
    for x, colour in ((30, SKY), (50, YELLOW), (70, GREEN)):
        h.box(f"{x - 2},32 {x + 2},32 {x + 2},48 {x - 2},48", colour)
        h.shape(f"{x},20 {x + 3},26 {x},30 {x - 3},26", ORANGE)


@draws("cake", "thin", HASTY)
def cake(h: Hand) -> None:
    h.straight("8,52 84,30 92,50 92,76 10,84 8,52")
    h.straight("8,52 92,50")
    h.curve("10,66 50,64 92,62")
    h.curve("10,70 50,68 92,66")
    h.curve("8,52 18,60 26,52 36,60 46,52 56,60 66,51 76,59 84,51")
    h.ring(62, 30, 7)
    h.curve("62,23 66,14 72,12")


@draws("coffee", "pen", MOUSE, place=(24, 22, 0.64))
def coffee(h: Hand) -> None:
    h.straight("20,38 24,80 64,80 68,38")
    h.ring(44, 38, 24, 6)
    h.curve("68,44 84,42 88,56 80,68 66,68")
    h.curve("10,84 30,92 58,92 78,84 10,84")
    for x in (34, 45, 56):
        h.curve(f"{x},28 {x - 4},22 {x + 3},16 {x - 1},8")


@draws("mushroom", "tiny", FINGER, place=(64, 8, 0.28))
def mushroom(h: Hand) -> None:
    h.curve("8,54 14,30 34,14 54,11 74,20 90,38 92,54 70,58 30,58 8,54")
    h.curve("38,58 40,74 34,90 66,90 61,74 62,58")
    h.ring(34, 34, 7)
    h.ring(62, 32, 8)
    h.ring(50, 48, 5)


@draws("hamburger", "coloured", CHILD)
def hamburger(h: Hand) -> None:
    h.shape("12,66 88,66 84,82 70,86 30,86 16,82", TAN)
    h.shape("10,56 90,56 91,66 9,66", BROWN)
    h.curve("8,55 18,60 28,54 40,60 52,54 64,60 76,54 92,57", GREEN, 4)
    h.shape("10,49 90,49 90,54 10,54", RED)
    h.shape("12,47 16,30 32,18 50,15 68,18 84,30 88,47", TAN)
    for x, y in ((34, 30), (48, 25), (62, 30), (44, 37), (56, 37)):
        h.straight(f"{x},{y} {x + 2},{y + 1}", WHITE, 1.8)


@draws("pineapple", "unfinished", FINGER)
def pineapple(h: Hand) -> None:
    h.curve("44,40 32,46 26,62 30,80 42,92 56,92 68,82 74,64")
    h.curve("44,40 30,30 24,18 38,24 42,30 38,14 42,4 50,14 52,26 60,10 68,8 64,22 58,30 74,24 70,34 56,40"
            " 44,40")
    for line in ("34,46 68,80", "28,58 58,90", "30,80 60,48", "42,91 56,76", "28,66 50,42"):
        h.straight(line)


@draws("egg", "thick", MOUSE, place=(16, 14, 0.7))
def egg(h: Hand) -> None:
    h.curve("50,12 64,22 74,42 77,62 68,80 50,87 32,80 23,62 26,42 36,22 50,12")


@draws("lollipop", "colourpen", HASTY, ink=RED)
def lollipop(h: Hand) -> None:
    h.ring(50, 32, 25)
    h.curve("50,32 54,28 50,24 43,28 44,38 54,42 62,34 60,22 48,16 36,24 36,40 48,50 62,46")
    h.straight("49,57 49,96")
    h.straight("52,57 52,96")

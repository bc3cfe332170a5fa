"""Animals of woods, water and air."""

from __future__ import annotations

from draw_examples import BLACK, BLUE, BROWN, DARK_GREEN, GREEN, ORANGE, PURPLE, SKY, WHITE, YELLOW
from hand import CAREFUL, CHILD, FINGER, HASTY, MOUSE, TOUCHPAD, Hand, draws


@draws("fish", "pen", FINGER)
def fish(h: Hand) -> None:
    h.curve("90,28 76,44 62,58 44,68 24,64 8,50 22,36 42,30 62,40 78,54 91,72")
    h.straight("90,28 85,50 91,72")
    h.spot(22, 46, 2.2)
    h.curve("33,35 38,48 33,64")
    h.curve("9,51 15,54 19,52")
    h.curve("46,44 51,48 46,53")
    h.curve("56,46 60,50 56,55")


@draws("fish", "scribble", MOUSE)
def fish_scribbled(h: Hand) -> None:
    h.box("70,50 92,28 92,74", ORANGE)
    h.shape("40,30 50,14 62,33", ORANGE)
    h.shape("8,52 22,34 44,27 64,36 76,51 62,68 42,75 20,68", ORANGE)
    h.ring(22, 47, 4, 4, WHITE)
    h.spot(22, 47, 1.6)


@draws("bird", "thin", CAREFUL)
def bird(h: Hand) -> None:
    h.curve("26,34 30,24 40,22 48,28 52,40 66,48 80,54 96,62")
    h.curve("26,36 28,52 36,66 50,72 64,70 76,64 94,68")
    h.straight("96,62 91,65 94,68")
    h.straight("27,30 14,35 27,38")
    h.straight("14,35 26,35")
    h.spot(35, 30, 1.2)
    h.curve("44,46 50,58 64,63 80,60 70,52 56,46 46,46")
    h.curve("52,50 60,57 70,59")
    h.straight("47,72 46,84 40,87")
    h.straight("46,84 51,87")
    h.straight("56,72 57,84 51,87")
    h.straight("57,84 63,87")


@draws("butterfly", "coloured", FINGER)
def butterfly(h: Hand) -> None:
    h.shape("47,44 36,22 18,12 7,22 10,42 26,54 46,54", ORANGE)
    h.shape("53,44 64,22 82,12 93,22 90,42 74,54 54,54", ORANGE)
    h.shape("46,55 28,58 17,70 24,86 38,82 47,62", YELLOW)
    h.shape("54,55 72,58 83,70 76,86 62,82 53,62", YELLOW)
    h.ring(23, 32, 6, 6, PURPLE)
    h.ring(77, 32, 6, 6, PURPLE)
    h.shape("47,36 53,36 54,56 51,78 49,78 46,56", BLACK)
    h.ring(50, 31, 4, 4, BLACK)
    h.curve("48,28 44,18 37,14")
    h.curve("52,28 56,18 63,14")


@draws("butterfly", "unfinished", HASTY)
def butterfly_half(h: Hand) -> None:
    h.curve("50,34 54,44 53,64 50,74 47,64 46,44 50,34")
    h.ring(50, 29, 4.5)
    h.curve("48,25 42,15 36,15")
    h.curve("52,25 58,15 64,16")
    h.curve("46,44 34,20 14,13 6,28 14,46 45,52")
    h.curve("46,56 24,60 16,74 26,87 40,80 47,64")
    h.curve("54,44 62,28 70,20")
    h.ring(22, 32, 6)


@draws("snail", "thick", FINGER)
def snail(h: Hand) -> None:
    h.curve("54,52 58,46 51,43 46,50 50,60 62,60 69,48 62,34 46,32 35,44 36,62 44,74")
    h.curve("78,58 80,40 72,26 60,20")
    h.curve("60,20 44,20")
    h.curve("94,78 80,78 60,79 30,78 14,76 10,62 14,52 23,54 26,66 36,70")
    h.straight("14,52 8,38")
    h.straight("21,53 24,38")
    h.curve("78,58 80,68 94,78")


@draws("elephant", "pen", MOUSE)
def elephant(h: Hand) -> None:
    h.curve("44,30 58,26 74,28 86,38 90,54 88,68")
    h.straight("88,66 88,88 76,88 75,72")
    h.curve("75,72 66,74 57,72")
    h.straight("57,70 57,88 45,88 44,70")
    h.curve("44,32 36,22 24,22 15,30 12,44 11,60 12,74 9,80 14,83 18,76 19,62 21,54 28,56")
    h.curve("34,30 46,28 52,38 50,52 42,62 34,56 31,44 34,30")
    h.curve("42,62 44,70")
    h.spot(23, 36, 1.6)
    h.curve("22,54 16,56 13,52")
    h.curve("89,46 95,54 94,64")
    for x in (47, 51, 78, 82):
        h.curve(f"{x},88 {x + 1.5},85 {x + 3},88")


@draws("elephant", "colourpen", CHILD, ink=(96, 100, 120))
def elephant_front(h: Hand) -> None:
    h.ring(50, 40, 18, 19)
    h.curve("34,32 18,18 6,32 10,52 22,58 34,48")
    h.curve("66,32 82,17 95,32 90,52 78,58 66,48")
    h.curve("45,48 45,62 43,72 48,76 53,71 54,62 55,48")
    h.spot(43, 35, 1.6)
    h.spot(57, 35, 1.6)
    h.curve("36,58 28,64 27,74")
    h.curve("64,58 73,64 73,74")
    h.straight("27,72 27,94 39,94 40,80")
    h.straight("73,72 73,94 61,94 60,80")
    h.straight("40,81 60,80")


@draws("spider", "thick", TOUCHPAD)
def spider(h: Hand) -> None:
    h.blot("50,34 64,40 68,54 60,67 50,70 39,67 32,54 37,40")
    h.ring(50, 76, 9, 7)
    for leg in ("36,44 22,32 9,40", "34,50 18,44 5,56", "34,58 20,58 8,74", "40,66 28,72 20,90",
                "64,44 78,31 91,40", "66,50 82,44 95,57", "66,58 80,58 92,74", "61,66 72,72 80,90"):
        h.straight(leg, None, 2.8)
    h.straight("50,34 50,2", None, 1.8)


@draws("snake", "colourpen", FINGER, ink=DARK_GREEN, place=(8, 4, 0.9))
def snake(h: Hand) -> None:
    h.curve("20,22 30,14 42,18 42,28 30,33 20,32 18,44 34,50 58,47 74,50 77,62 66,70 40,68 22,74 24,86"
            " 48,88 74,84 94,76")
    h.curve("20,22 13,26 20,32")
    h.curve("42,28 38,40 36,40 56,37 78,38 90,50 88,68 72,79 46,78 36,79 60,79 94,76")
    h.spot(32, 21, 1.6)
    h.straight("14,27 6,26 2,22")
    h.straight("6,26 2,30")


@draws("giraffe", "crude", CHILD)
def giraffe(h: Hand) -> None:
    h.straight("43,62 32,20")
    h.straight("55,60 42,22")
    h.shape("42,12 46,22 34,27 16,30 13,24 26,16 33,11")
    h.straight("36,12 35,3")
    h.straight("42,12 43,4")
    h.shape("42,60 60,56 82,60 84,72 64,76 44,74", YELLOW)
    for leg in ("46,74 45,96", "53,75 53,97", "72,75 73,97", "80,72 82,95"):
        h.straight(leg)
    h.curve("84,62 93,66 92,76")
    h.spot(31, 19)
    for x, y in ((39, 34), (43, 44), (48, 54), (40, 25), (56, 64), (68, 66), (62, 71), (76, 64), (49, 66)):
        h.spot(x, y, 2.4, BROWN)


@draws("turtle", "pen", TOUCHPAD, place=(16, 30, 0.7))
def turtle(h: Hand) -> None:
    h.curve("24,62 28,44 42,32 58,31 74,42 80,61")
    h.curve("20,62 50,65 84,61")
    h.curve("24,60 14,58 7,50 9,42 18,39 25,46 27,52")
    h.spot(14, 46, 1.4)
    h.curve("9,52 13,54 17,52")
    h.curve("30,64 27,76 37,77 40,65")
    h.curve("62,64 64,77 74,76 72,63")
    h.curve("82,61 91,64 83,66")
    h.shape("44,42 56,42 61,52 51,58 40,52")
    h.straight("44,42 39,34")
    h.straight("56,42 62,34")
    h.straight("61,52 76,52")
    h.straight("40,52 27,54")
    h.straight("51,58 51,64")


@draws("octopus", "pen", HASTY, place=(30, 6, 0.66))
def octopus(h: Hand) -> None:
    h.curve("30,56 26,36 34,18 50,12 66,18 75,36 70,56")
    h.curve("30,56 18,60 8,72 12,82 20,76 28,64 36,62")
    h.curve("36,62 26,78 22,90 32,94 38,80 44,64")
    h.curve("44,64 42,84 46,95 54,93 54,80 54,64")
    h.curve("54,64 62,80 66,93 77,90 72,76 63,62")
    h.curve("63,62 74,66 82,80 91,78 88,64 70,56")
    h.spot(42, 38, 2)
    h.spot(58, 38, 2)
    h.curve("42,48 50,53 58,48")


@draws("penguin", "thick", CAREFUL)
def penguin(h: Hand) -> None:
    h.shape("50,8 64,14 68,28 74,46 75,70 66,86 50,90 34,86 25,70 26,46 32,28 36,14")
    h.curve("40,30 36,44 34,64 40,78 50,81 60,78 66,64 64,44 60,30")
    h.straight("45,28 55,28 50,35 45,28")
    h.spot(43, 20, 2.6)
    h.spot(57, 20, 2.6)
    h.curve("26,44 14,58 16,68 26,62")
    h.curve("74,44 86,58 84,68 74,62")
    h.curve("36,90 30,95 44,95 45,91")
    h.curve("64,90 70,95 56,95 55,91")


@draws("whale", "colourpen", CAREFUL, ink=BLUE)
def whale(h: Hand) -> None:
    h.curve("8,58 10,42 26,32 46,34 60,46 74,54 82,46 82,36")
    h.curve("82,36 74,34 70,24 80,26 84,34 90,24 98,24 96,34 86,38 88,52 80,68 62,76 36,77 16,72 8,58")
    h.curve("9,59 22,63 36,57")
    h.spot(26, 50, 1.8)
    h.curve("44,62 52,70 58,62")
    h.curve("32,32 32,20 24,13 18,18", SKY)
    h.curve("33,32 34,19 42,12 48,17", SKY)


@draws("bee", "coloured", TOUCHPAD)
def bee(h: Hand) -> None:
    h.shape("44,38 36,18 46,10 56,18 54,38", (214, 236, 250))
    h.shape("54,38 58,18 70,13 76,24 64,40", (214, 236, 250))
    h.shape("24,54 32,40 52,36 72,40 84,54 72,69 52,73 32,69", YELLOW)
    for x, top in ((42, 39), (54, 38), (66, 40)):
        h.curve(f"{x},{top} {x + 3},55 {x},{108 - top}", None, 4.2)
    h.ring(24, 54, 10, 11, YELLOW)
    h.spot(21, 51, 1.7)
    h.curve("17,58 21,60 25,58")
    h.curve("20,44 14,34 9,33")
    h.curve("26,44 25,33 29,29")
    h.straight("84,52 92,55 84,58")


@draws("frog", "crude", FINGER)
def frog(h: Hand) -> None:
    h.ring(33, 26, 11, 11, GREEN)
    h.ring(67, 27, 11, 11, GREEN)
    h.shape("50,28 74,33 82,48 70,62 50,66 28,62 18,48 26,34", GREEN)
    h.shape("34,64 66,64 78,80 68,90 34,90 22,80", GREEN)
    h.spot(33, 25, 3)
    h.spot(67, 26, 3)
    h.curve("27,48 40,55 60,55 74,47")
    h.curve("24,80 12,92 34,92")
    h.curve("76,80 90,92 66,92")


@draws("owl", "doublestroke", CAREFUL)
def owl(h: Hand) -> None:
    h.curve("24,22 32,24 50,22 68,24 76,21 76,40 80,60 72,82 50,90 28,82 20,60 24,40 24,22")
    h.ring(38, 38, 11)
    h.ring(62, 38, 11)
    h.spot(39, 39, 3)
    h.spot(61, 39, 3)
    h.straight("46,46 54,46 50,54 46,46")
    h.curve("23,48 32,58 30,76")
    h.curve("77,48 68,58 70,76")
    for x, y in ((42, 62), (50, 62), (58, 62), (46, 70), (54, 70), (50, 78)):
        h.curve(f"{x - 3},{y} {x},{y + 4} {x + 3},{y}")
    h.curve("40,90 38,95 43,92 46,95 46,90")
    h.curve("54,90 54,95 58,92 62,95 60,89")

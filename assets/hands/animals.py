"""Animals of house and farm."""

from __future__ import annotations

from draw_examples import BLACK, BROWN, GREY, ORANGE, PINK, TAN, WHITE, YELLOW
from hand import CAREFUL, CHILD, FINGER, HASTY, MOUSE, TOUCHPAD, Hand, draws


@draws("cow", "thin", CAREFUL)
def cow(h: Hand) -> None:
    h.shape("29,31 22,28 15,31 12,40 9,47 13,53 21,52 28,46 32,38")
    h.curve("29,32 36,26 37,32 32,36")
    h.curve("16,31 9,28 9,33 14,35")
    h.curve("20,28 17,21 19,17 22,22 23,28")
    h.curve("26,29 27,21 31,18 30,24 28,30")
    h.spot(20, 37, 0.9)
    h.spot(12.5, 47, 0.7)
    h.curve("12,50 15,51 18,49")
    h.curve("33,36 46,34 62,36 76,35 83,38 86,48 85,60")
    h.curve("28,47 31,56 35,63")
    h.curve("44,67 56,68 69,67")
    for leg in ("35,62 36,88 41,88 42,66", "46,67 47,86 51,86 52,68", "70,67 69,88 74,88 76,66",
                "79,64 80,87 85,87 85,60"):
        h.straight(leg)
    h.curve("85,40 91,46 92,57 90,64")
    h.curve("90,63 87,71 91,74 94,69 91,63")
    h.curve("58,68 58,74 62,75 67,74 68,67")
    h.straight("60,74 60,77 61,77 61,74")
    h.straight("64,74 64,77 65,77 65,74")
    h.shape("44,37 52,36 57,42 53,50 46,49 42,43")
    h.shape("66,40 75,38 80,46 76,57 69,55 65,48")
    h.shape("36,52 42,54 42,60 37,60")


@draws("cow", "crude", CHILD)
def cow_crude(h: Hand) -> None:
    h.ring(56, 50, 29, 16)
    h.ring(20, 36, 13, 10)
    for leg in ("36,62 35,86", "45,65 45,88", "67,65 68,88", "77,61 79,85"):
        h.straight(leg)
    h.straight("13,28 9,17")
    h.straight("26,27 31,17")
    h.curve("84,45 93,42 94,58")
    h.spot(16, 34)
    h.spot(25, 34)
    h.curve("13,40 20,43 27,40")
    h.shape("42,40 52,40 54,50 44,51", BLACK)
    h.shape("62,48 74,45 77,56 66,60", BLACK)
    h.curve("55,66 57,73 63,72 63,65", PINK)


@draws("cow face", "pen", MOUSE)
def cow_face(h: Hand) -> None:
    h.curve("36,66 33,54 30,40 34,27 43,22 57,22 66,27 70,40 67,54 64,66")
    h.ring(50, 74, 22, 14)
    h.spot(42, 72, 2)
    h.spot(58, 72, 2)
    h.curve("42,81 50,83 58,80")
    h.curve("32,32 20,25 9,30 15,39 31,40")
    h.curve("68,32 80,25 92,31 84,40 70,40")
    h.curve("36,26 29,20 29,9 36,15 43,22")
    h.curve("58,22 64,15 71,9 71,20 65,26")
    h.spot(42, 44, 2.2)
    h.spot(59, 44, 2.2)
    h.shape("53,37 62,34 67,42 63,51 54,51")


@draws("cat", "pen", HASTY)
def cat(h: Hand) -> None:
    h.straight("30,22 31,8 39,16 48,16 56,8 57,23")
    h.curve("30,21 28,30 34,38 43,40 53,38 59,30 57,22")
    h.curve("34,38 29,52 26,70 27,86 36,88 39,86")
    h.curve("53,38 60,50 67,66 67,82 60,88 40,88")
    h.straight("39,60 39,87")
    h.straight("48,62 48,88")
    h.curve("67,84 80,84 86,74 82,62 86,55")
    h.spot(38, 26, 1.6)
    h.spot(49, 26, 1.6)
    h.straight("42,31 46,31 44,33 42,31")
    h.straight("34,32 21,30")
    h.straight("34,35 22,37")
    h.straight("53,32 66,30")
    h.straight("53,35 66,37")


@draws("cat face", "thick", FINGER)
def cat_face(h: Hand) -> None:
    h.curve("20,44 17,12 37,26 50,24 63,26 82,11 81,44 82,64 68,82 50,86 30,82 18,64 20,44")
    h.spot(36, 50, 4)
    h.spot(65, 50, 4)
    h.straight("46,62 55,62 50,67 46,62")
    h.curve("38,72 44,75 50,68 57,75 63,71")
    h.straight("26,62 7,58")
    h.straight("26,69 8,73")
    h.straight("74,62 94,58")
    h.straight("74,69 93,74")


@draws("dog", "pen", MOUSE, place=(4, 24, 0.72))
def dog(h: Hand) -> None:
    h.curve("38,46 55,47 72,45 80,48 82,60 80,68")
    h.curve("30,50 33,60 36,66")
    h.curve("44,68 55,67 67,68")
    for leg in ("34,62 34,88 41,88 43,67", "68,67 70,88 77,88 80,66"):
        h.straight(leg)
    h.curve("80,49 88,42 92,30")
    h.curve("40,47 42,36 38,26 28,23 21,28 18,34 8,38 7,44 13,48 24,48 32,50")
    h.curve("33,25 42,24 46,34 44,44 38,42 34,33")
    h.spot(23, 33, 1.6)
    h.spot(8, 39, 2.6)
    h.curve("12,45 18,44 22,42")
    h.curve("31,50 36,53 41,48")
    h.shape("57,50 66,49 67,57 59,58")


@draws("dog face", "coloured", CAREFUL)
def dog_face(h: Hand) -> None:
    h.shape("50,14 66,18 76,32 75,54 66,74 56,86 44,86 34,74 25,54 24,32 34,18", TAN)
    h.shape("32,18 20,22 10,40 10,60 17,68 25,58 27,38", BROWN)
    h.shape("68,18 80,22 90,40 91,58 84,68 75,58 73,38", BROWN)
    h.ring(50, 69, 16, 15, WHITE)
    h.shape("42,58 50,56 58,58 54,64 50,66 46,64", BLACK)
    h.curve("50,66 50,73 42,77 38,73")
    h.curve("50,73 58,77 62,73")
    h.shape("46,76 54,76 54,86 50,89 46,86", PINK)
    for x in (38, 62):
        h.ring(x, 42, 5, 6, WHITE)
        h.spot(x, 43, 2.6)


@draws("rabbit", "thin", TOUCHPAD, place=(22, 20, 0.7))
def rabbit(h: Hand) -> None:
    h.ring(45, 40, 14, 12)
    h.curve("38,30 30,14 33,4 39,8 43,28")
    h.curve("46,28 48,9 54,3 58,9 52,30")
    h.shape("38,50 53,50 64,60 68,74 62,88 44,91 30,88 25,74 29,60")
    h.ring(71, 80, 6)
    h.curve("36,66 35,80 40,84 45,79 44,66")
    h.ring(36, 89, 8, 4)
    h.ring(56, 89, 8, 4)
    h.spot(40, 37, 1)
    h.spot(50, 37, 1)
    h.straight("43,42 47,42 45,44 43,42")
    h.curve("40,46 45,45 45,44 45,46 50,46")
    h.straight("37,43 24,40")
    h.straight("37,45 25,47")
    h.straight("53,43 66,40")
    h.straight("53,45 66,47")


@draws("rabbit face", "doublestroke", MOUSE)
def rabbit_face(h: Hand) -> None:
    h.ring(50, 65, 27, 24)
    h.curve("36,45 28,26 30,8 37,5 44,18 46,42")
    h.curve("54,42 57,17 64,5 71,9 71,26 63,45")
    h.spot(40, 60, 2.2)
    h.spot(60, 60, 2.2)
    h.straight("46,66 54,66 50,70 46,66")
    h.curve("50,70 48,76 42,77 38,74")
    h.curve("50,70 53,76 58,77 62,74")
    h.straight("46,78 46,85 54,85 54,78")
    h.straight("44,70 26,67")
    h.straight("56,70 75,67")


@draws("horse", "thin", MOUSE, place=(12, 8, 0.8))
def horse(h: Hand) -> None:
    h.curve("33,18 26,24 15,34 10,41 13,46 20,45 29,39 32,50 32,58 37,66")
    h.straight("33,18 33,11 37,17")
    h.curve("37,17 45,24 50,37 60,41 74,39 83,44 85,56 82,64")
    h.straight("35,64 35,90 40,90 41,67")
    h.straight("43,67 45,88 50,88 49,67")
    h.curve("41,67 54,67 67,65")
    h.straight("67,65 68,76 66,90 71,90 74,76 75,66")
    h.straight("76,66 79,76 78,88 83,88 85,75 85,56")
    h.curve("84,44 92,48 93,62 90,74 88,62 85,54")
    for tuft in ("36,14 44,17 43,22", "41,19 49,23 47,28", "45,24 53,29 51,34", "48,30 56,34 54,39"):
        h.curve(tuft)
    h.spot(26, 28, 1)
    h.spot(13, 40, 0.8)
    h.curve("14,45 18,43 20,42")


@draws("pig", "pen", CAREFUL)
def pig(h: Hand) -> None:
    h.shape("28,44 40,34 58,32 74,37 82,50 79,64 66,72 46,73 31,67 25,56")
    h.ring(29, 48, 16, 15)
    h.ring(23, 52, 7, 5.5)
    h.spot(21, 52, 1)
    h.spot(25.5, 52, 1)
    h.spot(24, 42, 1.4)
    h.spot(34, 42, 1.4)
    h.straight("18,38 15,27 25,33")
    h.straight("35,34 43,25 43,38")
    h.curve("24,59 29,61 34,58")
    for leg in ("38,72 38,85 45,85 45,73", "64,72 64,85 71,85 72,69"):
        h.straight(leg)
    h.curve("81,48 88,44 90,51 85,52 87,43 95,42")


@draws("pig face", "coloured", FINGER, ink=(196, 72, 110))
def pig_face(h: Hand) -> None:
    h.box("22,36 16,10 44,24", PINK)
    h.box("78,36 86,11 56,24", PINK)
    h.ring(50, 54, 37, 35, (250, 172, 196))
    h.ring(50, 62, 16, 11, PINK)
    h.spot(44, 62, 2.6)
    h.spot(56, 62, 2.6)
    h.spot(34, 44, 3, BLACK)
    h.spot(66, 44, 3, BLACK)
    h.curve("38,78 50,83 62,77")


@draws("sheep", "pen", FINGER)
def sheep(h: Hand) -> None:
    bumps = ("34,36 32,26 41,23", "41,23 46,15 54,20", "54,20 61,13 67,21", "67,21 76,17 78,26",
             "78,26 88,27 86,36", "86,36 95,42 88,49", "88,49 92,59 82,60", "82,60 80,69 71,65",
             "71,65 65,73 58,66", "58,66 51,73 46,66", "46,66 37,69 36,60")
    for bump in bumps:
        h.curve(bump)
    h.shape("16,38 26,33 36,38 36,52 29,63 20,61 13,50")
    h.curve("31,34 40,32 43,39 36,42")
    h.spot(20, 46)
    h.spot(28, 46)
    h.curve("18,55 22,58 27,55")
    for leg in ("46,68 46,87", "53,70 53,88", "68,69 68,87", "75,66 75,87"):
        h.straight(leg)


@draws("duck", "coloured", MOUSE)
def duck(h: Hand) -> None:
    h.shape("28,30 34,18 46,16 55,24 56,36 53,46 66,50 82,47 92,42 90,58 80,74 60,80 40,77 29,66 28,54"
            " 36,44 30,38", YELLOW)
    h.shape("29,28 18,30 9,34 17,39 30,37", ORANGE)
    h.curve("10,34 20,34 28,33")
    h.spot(39, 27, 2)
    h.curve("50,58 60,68 74,64 80,55")
    h.straight("50,79 50,89 42,90", ORANGE, 2.4)
    h.straight("62,79 63,89 55,91", ORANGE, 2.4)


@draws("mouse", "tiny", CAREFUL, place=(60, 62, 0.34))
def mouse(h: Hand) -> None:
    h.curve("10,62 22,48 42,38 62,40 78,52 82,72 70,76 30,76 10,64")
    h.ring(38, 36, 11)
    h.ring(54, 34, 10)
    h.spot(24, 56, 2.4)
    h.spot(9, 63, 3)
    h.curve("82,70 92,68 96,54 90,44 98,34")
    h.straight("18,66 6,74")
    h.straight("20,68 12,80")
    h.curve("36,76 38,82 46,77")
    h.curve("62,76 64,82 72,76")


@draws("chicken", "scribble", TOUCHPAD)
def chicken(h: Hand) -> None:
    h.shape("30,30 40,32 42,46 54,54 70,48 88,36 86,60 74,78 52,82 34,74 27,58 26,42", TAN)
    h.shape("26,22 36,18 42,26 40,36 30,38 24,32", TAN)
    h.curve("28,20 26,11 32,14 34,8 38,14 43,11 41,22", (222, 44, 40), 2.6)
    h.box("24,26 13,31 25,33", ORANGE)
    h.curve("26,34 24,42 29,43 30,36", (222, 44, 40), 2)
    h.spot(32, 26, 1.5)
    h.curve("46,62 58,70 70,62", BROWN)
    h.straight("48,82 48,93 41,94", ORANGE, 2)
    h.straight("48,93 53,95", ORANGE, 2)
    h.straight("60,81 61,92 54,94", ORANGE, 2)
    h.straight("61,92 67,94", ORANGE, 2)


@draws("mouse face", "thick", HASTY, place=(6, 4, 0.9))
def mouse_face(h: Hand) -> None:
    h.curve("27,50 30,70 42,84 50,87 60,83 71,69 74,50 64,38 50,35 36,38 27,50")
    h.ring(22, 30, 17)
    h.ring(79, 30, 17)
    h.spot(40, 56, 2.6)
    h.spot(61, 56, 2.6)
    h.spot(50, 77, 4.4)
    h.straight("40,74 20,70", None, 2.4)
    h.straight("40,78 21,82", None, 2.4)
    h.straight("61,74 81,70", None, 2.4)
    h.straight("61,78 80,83", None, 2.4)


@draws("donkey", "unfinished", MOUSE, ink=GREY)
def donkey(h: Hand) -> None:
    h.curve("34,30 24,36 12,50 10,57 15,62 24,58 32,52 36,60")
    h.curve("33,30 27,16 28,6 34,12 38,28")
    h.curve("38,28 41,14 46,7 48,16 44,32")
    h.spot(26, 42, 1.4)
    h.spot(14, 57, 1)
    h.curve("45,33 52,44 64,47 78,46 85,52")
    h.curve("36,60 38,70 37,88 44,88 46,70")
    h.curve("46,70 52,72")

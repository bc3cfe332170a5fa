"""Houses and the things in them."""

from __future__ import annotations

from draw_examples import BLUE, BROWN, RED, TAN, YELLOW
from hand import CAREFUL, CHILD, FINGER, HASTY, MOUSE, TOUCHPAD, Hand, draws


@draws("house", "pen", CAREFUL)
def house(h: Hand) -> None:
    h.straight("20,46 20,88 80,88 80,46")
    h.straight("10,50 50,14 90,50")
    h.straight("20,46 80,46")
    h.straight("44,88 44,62 58,62 58,88")
    h.spot(55, 76, 0.9)
    h.straight("26,54 38,54 38,66 26,66 26,54")
    h.straight("32,54 32,66")
    h.straight("26,60 38,60")
    h.straight("64,54 75,54 75,66 64,66 64,54")
    h.straight("69.5,54 69.5,66")
    h.straight("64,60 75,60")
    h.straight("66,28 66,16 74,16 74,35")
    h.curve("70,13 66,8 73,6 71,1")


@draws("house", "scribble", CHILD)
def house_scribbled(h: Hand) -> None:
    h.box("22,48 78,48 77,88 23,88", YELLOW)
    h.box("12,49 50,14 88,49", RED)
    h.box("44,88 44,66 57,66 57,88", BROWN)
    h.box("28,56 39,56 39,66 28,66", BLUE)
    h.box("62,56 72,56 72,66 62,66", BLUE)


@draws("house", "unfinished", TOUCHPAD)
def house_unfinished(h: Hand) -> None:
    h.straight("20,50 20,88 60,88")
    h.straight("11,52 50,16 90,53")
    h.straight("36,88 36,64 50,64 50,88")
    h.straight("20,50 70,50")
    h.straight("62,58 73,58 73,68")


@draws("umbrella", "thin", FINGER)
def umbrella(h: Hand) -> None:
    h.curve("10,52 16,32 32,18 50,14 68,18 84,32 90,52")
    h.curve("10,52 17,46 24,46 30,52 37,46 44,46 50,52 57,46 64,46 70,52 77,46 84,46 90,52")
    h.curve("50,15 36,30 30,51")
    h.curve("50,15 64,30 70,51")
    h.straight("50,14 50,8")
    h.curve("50,52 50,82 46,90 39,90 36,84")


@draws("balloon", "colourpen", MOUSE, ink=RED, place=(16, -4, 0.9))
def balloon(h: Hand) -> None:
    h.curve("50,62 34,54 25,36 32,16 50,8 68,16 75,36 66,54 50,62")
    h.straight("50,62 46,68 54,68 50,62")
    h.curve("50,68 55,76 46,84 52,96")
    h.curve("37,30 39,21 46,17")


@draws("gift", "pen", HASTY, place=(28, 30, 0.62))
def gift(h: Hand) -> None:
    h.straight("18,48 18,90 82,90 82,48")
    h.straight("12,34 88,34 88,48 12,48 12,34")
    h.straight("44,34 44,90")
    h.straight("56,34 56,90")
    h.curve("50,34 36,30 28,18 36,10 46,18 50,34")
    h.curve("50,34 64,30 72,18 64,10 54,18 50,34")


@draws("key", "thick", CAREFUL, place=(12, 4, 0.8))
def key(h: Hand) -> None:
    h.ring(26, 34, 16)
    h.straight("38,45 86,88")
    h.straight("76,79 85,69")
    h.straight("65,69 74,59")


@draws("guitar", "thin", HASTY, place=(2, 12, 0.84))
def guitar(h: Hand) -> None:
    h.curve("54,48 44,40 34,44 32,52 22,54 11,66 14,82 28,90 42,86 48,74 56,70 62,62 56,52")
    h.ring(38, 64, 7)
    h.straight("54,48 80,20")
    h.straight("58,53 84,24")
    h.straight("80,20 86,9 95,16 84,24")
    h.straight("26,70 33,78")
    for string in ("28,73 87,14", "31,76 90,17"):
        h.straight(string)
    for peg in ("84,12 81,9", "93,20 97,22"):
        h.straight(peg)


@draws("clock", "pen", CHILD)
def clock(h: Hand) -> None:
    h.ring(50, 50, 40)
    for tick in ("50,12 50,20", "88,50 80,50", "50,88 50,80", "12,50 20,50", "69,17 66,23", "83,31 77,34",
                 "83,69 77,66", "69,83 66,77", "31,83 34,77", "17,69 23,66", "17,31 23,34", "31,17 34,23"):
        h.straight(tick)
    h.straight("50,50 50,26")
    h.straight("50,50 67,58")
    h.spot(50, 50, 2)


@draws("chair", "thick", HASTY)
def chair(h: Hand) -> None:
    h.straight("28,8 28,54 28,92")
    h.straight("28,10 48,6 49,48")
    h.straight("28,56 49,48 76,54 56,63 28,56")
    h.straight("56,63 56,95")
    h.straight("76,54 76,86")
    h.straight("49,58 49,76")


@draws("bed", "thin", MOUSE)
def bed(h: Hand) -> None:
    h.straight("8,26 8,86")
    h.straight("92,44 92,86")
    h.straight("8,74 92,74")
    h.straight("8,52 92,52")
    h.straight("8,28 16,28 16,52")
    h.straight("86,52 86,44 92,44")
    h.curve("17,51 16,42 30,40 36,44 35,51")
    h.curve("36,50 48,41 66,43 86,48")
    h.curve("40,47 46,56 44,66 60,64 74,67 92,64")
    h.curve("52,43 55,54 53,64")
    h.curve("70,44 72,55 70,65")


@draws("candle", "pen", HASTY, place=(20, 12, 0.74))
def candle(h: Hand) -> None:
    h.straight("40,44 40,84 60,84 60,43")
    h.ring(50, 44, 10, 3)
    h.straight("50,43 50,35")
    h.curve("50,36 43,28 46,18 51,8 56,18 58,28 50,36")
    h.curve("24,84 30,92 70,92 77,84 24,84")
    h.ring(81, 84, 5)
    h.curve("44,47 44,58 47,58 47,48")


@draws("light bulb", "doublestroke", CAREFUL)
def light_bulb(h: Hand) -> None:
    h.curve("41,66 38,56 28,46 26,30 36,14 50,10 64,14 74,30 72,46 62,56 59,66")
    h.straight("41,66 59,66")
    h.straight("41,72 59,71")
    h.straight("42,78 58,77")
    h.curve("44,78 46,86 54,86 56,78")
    h.curve("46,66 43,46 46,40 50,46 54,40 57,46 54,66")
    for ray in ("14,30 5,28", "20,12 13,5", "80,12 87,5", "86,30 95,28"):
        h.straight(ray)


@draws("open book", "thin", FINGER)
def open_book(h: Hand) -> None:
    h.curve("50,30 36,22 20,22 8,27")
    h.curve("50,30 64,22 80,22 92,27")
    h.straight("8,27 8,78")
    h.straight("92,27 92,78")
    h.curve("8,78 22,73 38,74 50,82 62,74 78,73 92,78")
    h.straight("50,30 50,82")
    for y in (36, 45, 54, 63):
        h.curve(f"15,{y - 1} 28,{y - 3} 43,{y + 2}")
        h.curve(f"57,{y + 2} 72,{y - 3} 85,{y - 1}")


@draws("pencil", "pen", FINGER)
def pencil(h: Hand) -> None:
    h.straight("72,8 90,24 36,80 12,92 20,66 72,8")
    h.straight("20,66 36,80")
    h.straight("63,18 81,34")
    h.straight("68,13 86,28")
    h.straight("28,73 70,27")
    h.blot("15,86 20,88 12,92")


@draws("scissors", "unfinished", HASTY)
def scissors(h: Hand) -> None:
    h.ring(30, 78, 12, 13)
    h.curve("38,68 50,50 74,10 76,18 56,52 50,58")
    h.curve("62,69 46,46 28,10 24,18 44,54 54,66")
    h.curve("62,69 60,80 66,88")


@draws("heart", "tiny", CHILD, place=(12, 10, 0.24))
def heart(h: Hand) -> None:
    h.curve("50,32 60,14 80,12 92,28 86,52 68,72 50,92 30,72 12,52 8,28 22,12 40,14 50,32")


@draws("heart", "pen", TOUCHPAD, place=(16, 20, 0.68))
def heart_pen(h: Hand) -> None:
    h.curve("50,30 61,14 78,12 90,26 86,48 70,70 52,90 34,72 14,50 9,28 20,13 38,14 50,30")


@draws("soccer ball", "pen", MOUSE)
def soccer_ball(h: Hand) -> None:
    h.ring(50, 50, 40)
    h.blot("50,36 64,46 59,62 41,62 36,46")
    for seam in ("50,36 50,22", "64,46 78,40", "59,62 68,75", "41,62 32,75", "36,46 22,40"):
        h.straight(seam)
    for edge in ("50,22 36,13", "50,22 64,13", "78,40 76,21", "78,40 90,52", "68,75 84,72", "68,75 60,88",
                 "32,75 16,72", "32,75 40,88", "22,40 10,52", "22,40 24,21"):
        h.straight(edge)


@draws("picture frame", "crude", HASTY, ink=BROWN)
def picture_frame(h: Hand) -> None:
    h.straight("10,16 90,16 90,84 10,84 10,16", TAN, 4)
    h.straight("20,26 80,26 80,74 20,74 20,26")
    h.curve("22,66 36,48 46,60 60,42 78,64")
    h.ring(34, 38, 5, 5, YELLOW, YELLOW)

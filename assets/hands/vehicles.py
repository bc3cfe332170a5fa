"""What drives, sails and flies."""

from __future__ import annotations

from draw_examples import BLACK, BLUE, GREY, ORANGE, RED, SKY, WHITE, YELLOW
from hand import CAREFUL, CHILD, FINGER, HASTY, MOUSE, TOUCHPAD, Hand, draws


@draws("car", "pen", MOUSE, place=(6, 28, 0.7))
def car(h: Hand) -> None:
    h.curve("18,66 8,64 8,52 20,48 28,46 36,32 48,30 62,31 72,45 88,49 93,56 92,66 84,66")
    h.straight("36,66 66,66")
    h.ring(27, 67, 9)
    h.ring(75, 67, 9)
    h.ring(27, 67, 3)
    h.ring(75, 67, 3)
    h.straight("32,46 39,36 48,36 48,46 32,46")
    h.straight("53,46 53,36 60,36 67,46 53,46")
    h.straight("51,52 56,52")


@draws("car", "crude", CHILD)
def car_crude(h: Hand) -> None:
    h.box("10,50 90,48 91,70 9,70", RED)
    h.straight("26,50 32,28 66,29 72,49")
    h.straight("49,29 49,49")
    h.ring(26, 73, 10, 10, BLACK)
    h.ring(73, 73, 10, 10, BLACK)
    h.ring(88, 56, 3, 3, YELLOW)


@draws("bus", "thin", TOUCHPAD)
def bus(h: Hand) -> None:
    h.straight("8,28 92,27 93,72 7,72 8,28")
    for x in (12, 26, 40, 54):
        h.straight(f"{x},34 {x + 10},34 {x + 10},47 {x},47 {x},34")
    h.straight("70,72 70,35 81,35 81,72")
    h.straight("75,35 75,72")
    h.straight("85,34 92,34 92,48 85,48 85,34")
    h.straight("8,55 69,55")
    h.ring(25, 73, 8)
    h.ring(58, 73, 8)
    h.ring(25, 73, 2.5)
    h.ring(58, 73, 2.5)
    h.straight("90,62 93,62 93,66 90,66 90,62")


@draws("truck", "pen", HASTY, place=(24, 20, 0.72))
def truck(h: Hand) -> None:
    h.straight("38,22 94,22 94,68 38,68 38,22")
    h.straight("38,36 20,36 8,52 7,68 14,68")
    h.straight("32,68 62,68")
    h.straight("15,51 22,41 32,41 32,51 15,51")
    h.ring(23, 71, 9)
    h.ring(75, 71, 9)
    h.spot(23, 71, 2)
    h.spot(75, 71, 2)


@draws("bicycle", "thin", CAREFUL)
def bicycle(h: Hand) -> None:
    h.ring(24, 64, 18)
    h.ring(76, 64, 18)
    h.straight("24,64 38,38 67,38 48,64 24,64")
    h.straight("48,64 35,32")
    h.straight("29,31 41,31")
    h.straight("76,64 64,28 71,26 75,30")
    h.ring(48, 64, 4)
    h.straight("45,58 51,71")
    h.straight("48,71 54,71")
    for x in (24, 76):
        h.straight(f"{x - 17},64 {x + 17},64")
        h.straight(f"{x},47 {x},81")


@draws("sailboat", "colourpen", MOUSE, ink=BLUE)
def sailboat(h: Hand) -> None:
    h.straight("10,66 90,66 76,84 24,84 10,66")
    h.straight("48,66 48,8")
    h.straight("52,12 84,58 52,58 52,12")
    h.straight("44,22 20,58 44,58 44,22")
    h.curve("2,92 12,88 22,92 32,88 42,92 52,88 62,92 72,88 82,92 92,88 98,91")


@draws("sailboat", "tiny", HASTY, place=(6, 58, 0.3))
def sailboat_tiny(h: Hand) -> None:
    h.curve("8,66 20,82 50,86 80,82 94,66")
    h.straight("8,66 94,66")
    h.straight("50,66 50,6 88,54 50,54")
    h.straight("50,14 18,54 50,54")


@draws("rocket", "coloured", FINGER)
def rocket(h: Hand) -> None:
    h.shape("40,76 44,84 46,96 50,88 54,97 57,84 60,76", ORANGE)
    h.box("34,52 18,72 20,82 36,72", RED)
    h.box("66,52 82,72 80,82 64,72", RED)
    h.shape("50,4 62,18 67,38 66,60 62,76 50,77 38,76 34,60 33,38 38,18", (222, 226, 234))
    h.shape("50,4 60,15 64,25 50,28 36,25 40,15", RED)
    h.ring(50, 42, 8, 8, SKY)
    h.straight("50,60 50,75", RED, 3)


@draws("rocket", "crude", HASTY, place=(-4, 8, 0.85))
def rocket_crude(h: Hand) -> None:
    h.straight("38,76 37,32 50,6 63,32 62,76 38,76")
    h.straight("38,52 20,80 38,74")
    h.straight("62,52 81,80 62,74")
    h.ring(50, 42, 6)
    h.straight("42,78 39,92 46,82 50,96 54,82 61,92 58,78")


@draws("airplane", "pen", FINGER)
def airplane(h: Hand) -> None:
    h.curve("10,52 14,44 28,42 70,42 86,44")
    h.curve("10,52 18,60 40,62 66,60 88,52 90,46")
    h.straight("72,42 88,22 94,22 88,46")
    h.straight("42,54 60,84 68,84 60,52")
    h.straight("44,42 54,20 61,20 58,42")
    for x in (28, 37, 46, 66):
        h.spot(x, 48, 1.6)
    h.straight("17,43 17,49 10,50")


@draws("train", "thick", MOUSE)
def train(h: Hand) -> None:
    h.straight("56,20 92,20")
    h.straight("60,20 60,68 88,68 88,20")
    h.straight("60,42 16,42 14,68 60,68")
    h.straight("24,42 22,24 36,24 34,42")
    h.straight("67,29 81,29 81,43 67,43 67,29")
    h.ring(26, 76, 8)
    h.ring(49, 76, 8)
    h.ring(75, 75, 11)
    h.straight("14,62 5,74 16,72")
    h.curve("28,18 26,10 36,12 40,4 50,9")


@draws("helicopter", "thin", HASTY, place=(14, 4, 0.8))
def helicopter(h: Hand) -> None:
    h.curve("12,54 16,38 32,30 48,32 58,44 57,58 46,68 26,68 14,62 12,54")
    h.curve("58,44 76,44 92,40")
    h.curve("56,57 76,50 92,44")
    h.ring(92, 38, 7)
    h.straight("87,33 97,43")
    h.straight("97,33 87,43")
    h.straight("38,31 38,20")
    h.straight("6,19 70,20")
    h.curve("14,54 34,53 35,33")
    h.straight("26,68 22,78")
    h.straight("44,68 47,78")
    h.curve("10,75 14,79 34,79 60,79")


@draws("tractor", "coloured", TOUCHPAD)
def tractor(h: Hand) -> None:
    h.box("12,46 48,46 48,68 12,68", (222, 44, 40))
    h.box("46,22 80,22 82,68 46,68", (222, 44, 40))
    h.box("52,28 74,28 75,46 52,46", SKY)
    h.straight("22,46 22,28", GREY, 3)
    h.ring(72, 70, 20, 20, BLACK)
    h.ring(72, 70, 9, 9, YELLOW)
    h.ring(23, 77, 12, 12, BLACK)
    h.ring(23, 77, 5, 5, YELLOW)
    h.straight("42,22 84,22", None, 3)


@draws("ship", "unfinished", CAREFUL, place=(2, -12, 0.9))
def ship(h: Hand) -> None:
    h.straight("6,60 18,82 80,82")
    h.straight("6,60 92,60")
    h.straight("24,60 24,46 66,46 66,60")
    h.straight("34,46 34,34 56,34")
    h.straight("38,34 38,20 46,20 46,34")
    for x in (24, 36, 48):
        h.ring(x, 70, 3)
    h.curve("4,90 14,86 24,90 34,86 44,90")


@draws("ufo", "pen", FINGER)
def ufo(h: Hand) -> None:
    h.curve("28,40 14,44 5,52 16,61 34,65 50,66 66,65 84,61 95,52 86,44 72,40")
    h.curve("28,42 30,26 40,17 50,15 60,17 70,26 72,42")
    h.curve("28,42 38,46 50,47 62,46 72,42")
    for x, y in ((16, 53), (32, 57), (50, 58), (68, 57), (84, 53)):
        h.spot(x, y, 2.2)
    h.straight("32,68 18,94")
    h.straight("68,68 82,94")
    h.straight("50,70 50,92")


@draws("traffic light", "coloured", CAREFUL)
def traffic_light(h: Hand) -> None:
    h.box("46,76 54,76 54,97 46,97", GREY)
    h.box("32,6 68,6 68,76 32,76", (70, 72, 80))
    h.ring(50, 18, 9, 9, RED)
    h.ring(50, 41, 9, 9, YELLOW)
    h.ring(50, 64, 9, 9, (88, 178, 62))
    h.spot(47, 15, 1.5, WHITE)

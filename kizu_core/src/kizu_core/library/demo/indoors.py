"""Scenes in town and on a table: shops, a station, a cake, papers."""

from __future__ import annotations

import math

from kizu_core.library.demo.canvas import HEIGHT, WIDTH, Canvas
from kizu_core.library.demo.props import cloud


def street() -> Canvas:
    """Three shops with their names over the windows."""
    canvas = Canvas(top="#bfe3f5", bottom="#fdf0dd")
    cloud(canvas, (240, 110), 44)
    cloud(canvas, (930, 80), 36)
    shops = (
        (0, "#f2c6b4", "BAKERY", "#7a3b2e", ("#d1495b", "#fff7ec")),
        (430, "#cfe0c3", "FLOWERS", "#2f5d46", ("#4d8b66", "#fff7ec")),
        (860, "#c9d7ee", "BOOKS", "#2b3a67", ("#3d5a98", "#fff7ec")),
    )
    for x, wall, name, ink, awning in shops:
        canvas.box((x, 170, x + 424, 800), wall)
        canvas.box((x, 160, x + 424, 186), ink)
        for left in (x + 50, x + 262):
            canvas.box((left, 220, left + 110, 330), "#fdfbf4", outline=ink, line=5)
            canvas.line([(left + 55, 220), (left + 55, 330)], ink, 5)
            canvas.box((left - 6, 330, left + 116, 344), ink)
        canvas.box((x + 40, 370, x + 384, 462), ink, radius=10)
        canvas.text((x + 212, 416), name, 66, "#fff7ec")
        canvas.box((x + 40, 520, x + 270, 720), "#fdf6e3", outline=ink, line=6)
        canvas.box((x + 300, 520, x + 384, 800), ink, radius=6)
        canvas.disc((x + 318, 670), 6, "#f2c14e")
        for part in range(9):
            left = x + 30 + part * 41
            canvas.shape([(left, 480), (left + 41, 480), (left + 41, 550), (left, 550)], awning[part % 2])
            canvas.disc((left + 20.5, 550), 20.5, awning[part % 2], flat=0.8)
    _in_the_windows(canvas)
    canvas.band(800, 850, "#d8cfc4", "#c3b8ab")
    canvas.band(850, HEIGHT, "#77757c", "#5d5b63")
    for x in range(-60, WIDTH, 230):
        canvas.box((x, 900, x + 120, 912), "#f3eee4")
    return canvas


def _in_the_windows(canvas: Canvas) -> None:
    """Loaves, tulips and books."""
    for number in range(3):
        canvas.disc((95 + number * 60, 690), 30, "#c98b4a", flat=0.6)
        canvas.disc((95 + number * 60, 684), 20, "#e0ad6e", flat=0.4)
    for number, colour in enumerate(("#e4572e", "#f2c14e", "#b56bb3", "#ef8a8a")):
        x = 500 + number * 52
        canvas.line([(x, 716), (x, 640)], "#4d8b66", 6)
        canvas.disc((x, 630), 20, colour)
    for number, colour in enumerate(("#d1495b", "#edae49", "#66a182", "#2e4057", "#8d6a9f", "#d1495b")):
        canvas.box((916 + number * 32, 610 + 12 * (number % 3), 942 + number * 32, 714), colour, radius=3)


def station() -> Canvas:
    """A departures board over a platform clock."""
    canvas = Canvas(top="#6d7f94", bottom="#c7ccd1")
    for x in range(0, WIDTH + 1, 160):
        canvas.line([(x, 0), (WIDTH / 2 + (x - WIDTH / 2) * 0.5, 330)], "#56667a", 10)
    for y in (60, 160, 250, 320):
        canvas.line([(0, y), (WIDTH, y)], "#56667a", 8)
    canvas.band(780, HEIGHT, "#9a948c", "#7b756e")
    canvas.band(800, 818, "#f2c14e", "#f2c14e")
    canvas.line([(260, 0), (260, 240)], "#3f4a58", 12)
    canvas.line([(1020, 0), (1020, 240)], "#3f4a58", 12)
    canvas.shadow((110, 250, 1190, 730))
    canvas.box((100, 230, 1180, 720), "#12203a", radius=16, outline="#dfe5ec", line=5)
    canvas.text((140, 290), "DEPARTURES", 58, "#ffffff", anchor="lm")
    canvas.text((1140, 290), "10:08", 58, "#f2c14e", anchor="rm")
    rows = (("10:12", "PARIS EST", "3"), ("10:25", "BASEL", "7"), ("10:41", "FREIBURG", "1"), ("11:03", "LYON", "5"))
    for number, (time, town, track) in enumerate(rows):
        y = 390 + number * 84
        canvas.box((130, y - 36, 1150, y + 36), "#1b2d4f", radius=6)
        canvas.text((160, y), time, 52, "#f2c14e", anchor="lm")
        canvas.text((380, y), town, 52, "#ffffff", anchor="lm")
        canvas.text((1110, y), track, 52, "#ffffff", anchor="rm")
    return canvas


def birthday() -> Canvas:
    """A cake with candles under a banner."""
    canvas = Canvas(top="#fbd3c0", bottom="#fce8d5")
    canvas.specks((0, 0, WIDTH, 700), 150, ("#e4572e", "#2e86ab", "#f2c14e", "#66a182", "#b56bb3"), 9, seed=41)
    canvas.line([(0, 90), (320, 150), (640, 164), (960, 150), (WIDTH, 90)], "#8a6b45", 6)
    canvas.shadow((150, 120, 1150, 290))
    canvas.box((140, 105, 1140, 275), "#fffaf0", radius=30, outline="#d1495b", line=6)
    canvas.text((640, 190), "HAPPY BIRTHDAY EMMA", 76, "#d1495b")
    canvas.band(760, HEIGHT, "#a9714b", "#875637")
    canvas.disc((640, 800), 420, "#f7f3ea", flat=0.16)
    for left, top, right, bottom, side in ((330, 600, 950, 790, "#f4b6c2"), (430, 450, 850, 610, "#fde2e4")):
        canvas.box((left, top, right, bottom), side, radius=26)
        drops = (right - left) // 52
        for number in range(drops):
            canvas.disc((left + (number + 0.5) * (right - left) / drops, top + 22), 30, "#fffaf0")
        canvas.box((left, top, right, top + 30), "#fffaf0", radius=15)
    canvas.text((640, 712), "7", 110, "#d1495b")
    candles = [(480 + number * 53, 450) for number in range(7)]
    for number, (x, y) in enumerate(candles):
        canvas.box((x - 8, y - 96, x + 8, y), ("#2e86ab", "#f2c14e", "#66a182")[number % 3], radius=6)
    canvas.glow([(x, 330) for x, _ in candles], 40, "#ffdf8e", 0.8)
    for x, _ in candles:
        canvas.shape([(x - 11, 346), (x, 312), (x + 11, 346), (x, 356)], "#ff9f1c")
    return canvas


def cafe() -> Canvas:
    """A chalk board and a cup on a small table."""
    canvas = Canvas(top="#e9d8c3", bottom="#d9b99b")
    for x in range(0, WIDTH, 128):
        canvas.line([(x, 0), (x, 700)], "#d3bd9f", 3)
    canvas.band(700, HEIGHT, "#7c5a45", "#5f4334")
    canvas.shadow((150, 110, 770, 760))
    canvas.box((140, 90, 760, 740), "#8b5e3c", radius=12)
    canvas.box((166, 116, 734, 714), "#26332f")
    canvas.text((450, 196), "CAFE LUNA", 84, "#ffe8a3")
    canvas.line([(240, 256), (660, 256)], "#ffe8a3", 4)
    menu = (("ESPRESSO", "2.40"), ("CAPPUCCINO", "3.20"), ("HOT CHOCOLATE", "3.80"), ("LEMON TART", "4.50"))
    for number, (name, price) in enumerate(menu):
        canvas.text((206, 330 + number * 96), name, 46, "#f5f5ef", anchor="lm")
        canvas.text((700, 330 + number * 96), price, 46, "#f5f5ef", anchor="rm")
    canvas.disc((1010, 800), 250, "#b98a5f", flat=0.22)
    canvas.disc((1010, 776), 130, "#fdfbf6", flat=0.22)
    canvas.disc((1130, 700), 44, "#fdfbf6")
    canvas.disc((1130, 700), 26, "#d9b99b")
    canvas.shape([(900, 640), (1120, 640), (1090, 770), (930, 770)], "#fdfbf6")
    canvas.disc((1010, 640), 110, "#fdfbf6", flat=0.24)
    canvas.disc((1010, 642), 94, "#6b3f22", flat=0.2)
    for x in (970, 1010, 1050):
        canvas.line([(x + 14 * math.sin(y / 22), y) for y in range(480, 600, 6)], "#f7efe4", 6)
    return canvas


def concert() -> Canvas:
    """A poster on a brick wall."""
    canvas = Canvas(top="#a8553f", bottom="#8c4433")
    for row, y in enumerate(range(0, HEIGHT, 48)):
        canvas.line([(0, y), (WIDTH, y)], "#7a3a2b", 5)
        for x in range(-60 * (row % 2), WIDTH, 120):
            canvas.line([(x, y), (x, y + 48)], "#7a3a2b", 5)
    canvas.shadow((370, 80, 940, 910), 130)
    canvas.box((350, 60, 920, 890), "#17233f")
    canvas.disc((635, 380), 170, "#f2c14e")
    canvas.line([(560, 520), (640, 400), (730, 260), (770, 230)], "#17233f", 34)
    canvas.disc((560, 500), 66, "#17233f")
    canvas.disc((560, 500), 40, "#f2c14e")
    for x, y in ((640, 370), (664, 334), (690, 300)):
        canvas.disc((x + 26, y + 16), 10, "#17233f")
    canvas.text((635, 140), "JAZZ NIGHT", 84, "#fff4dc")
    canvas.text((635, 640), "FRIDAY 21:00", 66, "#f2c14e")
    canvas.text((635, 730), "BLUE NOTE HALL", 56, "#fff4dc")
    canvas.text((635, 810), "FREE ENTRY", 48, "#e76f51")
    return canvas


def receipt() -> Canvas:
    """A till receipt on a wooden table, as one photographs it for a tax return."""
    canvas = Canvas(HEIGHT, WIDTH, top="#9c6b45", bottom="#7c5233")
    for y in range(20, WIDTH, 74):
        canvas.line([(x, y + 6 * math.sin(x / 90 + y)) for x in range(0, HEIGHT + 1, 12)], "#8d5f3c", 5)
    canvas.shadow((216, 96, 766, 1206), 130)
    canvas.box((200, 80, 750, 1190), "#fcfbf7")
    for x in range(200, 750, 25):
        canvas.shape([(x, 1190), (x + 12.5, 1206), (x + 25, 1190)], "#fcfbf7")
    canvas.text((475, 170), "CORNER GROCERY", 50, "#2a2a2e")
    canvas.text((475, 234), "12 MARKET STREET", 36, "#2a2a2e")
    lines = (("APPLES", "3.20"), ("BREAD", "2.75"), ("COFFEE", "6.90"), ("TOMATOES", "2.00"), ("", ""),
             ("TOTAL", "14.85"), ("CASH", "20.00"), ("CHANGE", "5.15"))  # fmt: skip
    for number, (name, price) in enumerate(lines):
        size = 50 if name == "TOTAL" else 40
        canvas.text((250, 360 + number * 84), name, size, "#2a2a2e", anchor="lm")
        canvas.text((700, 360 + number * 84), price, size, "#2a2a2e", anchor="rm")
    canvas.line([(250, 690), (700, 690)], "#2a2a2e", 4)
    canvas.text((475, 1090), "THANK YOU", 46, "#2a2a2e")
    return canvas


def ticket() -> Canvas:
    """A museum ticket on a map."""
    canvas = Canvas(top="#dfe8dc", bottom="#cfdccf")
    for x in range(60, WIDTH, 190):
        canvas.line([(x, 0), (x + 120, HEIGHT)], "#ffffff", 16)
    for y in range(80, HEIGHT, 170):
        canvas.line([(0, y), (WIDTH, y - 70)], "#ffffff", 16)
    canvas.shape([(0, 760), (420, 700), (860, 800), (WIDTH, 740), (WIDTH, HEIGHT), (0, HEIGHT)], "#a9d3e5")
    canvas.shadow((140, 250, 1180, 720), 120)
    canvas.box((120, 230, 1160, 700), "#f9efdc", radius=20)
    canvas.box((120, 230, 300, 700), "#d1495b", radius=20)
    canvas.box((270, 230, 300, 700), "#d1495b")
    for y in range(250, 690, 36):
        canvas.disc((300, y), 8, "#dfe8dc")
    canvas.shape([(150, 430), (210, 380), (270, 430)], "#f9efdc")
    for x in (160, 192, 224, 256):
        canvas.box((x - 6, 436, x + 6, 520), "#f9efdc")
    canvas.box((148, 524, 272, 540), "#f9efdc")
    canvas.text((730, 320), "MUSEUM OF", 74, "#2b3a67")
    canvas.text((730, 410), "MODERN ART", 84, "#2b3a67")
    canvas.text((730, 530), "ADMIT ONE", 66, "#d1495b")
    canvas.text((730, 630), "No. 004217", 50, "#2a2a2e")
    return canvas

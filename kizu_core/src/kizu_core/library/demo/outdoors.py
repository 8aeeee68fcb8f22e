"""Scenes under the open sky."""

from __future__ import annotations

import math

from kizu_core.library.demo.canvas import HEIGHT, WIDTH, Canvas
from kizu_core.library.demo.props import arrow_sign, cloud, fir, gull, sign


def beach() -> Canvas:
    """Sea, sand, two parasols and a lifeguard's board."""
    canvas = Canvas(top="#4fb3e8", bottom="#d9f1fb")
    canvas.disc((1040, 150), 70, "#fff3c4")
    canvas.glow([(1040, 150)], 150, "#fff3c4", 0.8)
    cloud(canvas, (300, 170), 60)
    cloud(canvas, (700, 110), 40)
    canvas.band(430, 640, "#1f8fb8", "#6fd3d1")
    canvas.band(630, HEIGHT, "#f6e3b4", "#e3c27e")
    for y in (640, 655):
        canvas.line([(x, y + 8 * math.sin(x / 70)) for x in range(0, WIDTH + 1, 10)], "#ffffff", 6)
    canvas.specks((0, 690, WIDTH, HEIGHT), 260, ("#d6b36c", "#fff2cf", "#c9a45c"), 3, seed=1)
    for x, colours in ((880, ("#e4572e", "#fff4e0")), (1120, ("#2e86ab", "#fff4e0"))):
        canvas.line([(x, 560), (x + 26, 860)], "#8a6b45", 9)
        for part in range(4):
            edges = [(x - 130 + 65 * part, 610 + 6 * (part % 2)), (x - 65 + 65 * part, 610)]
            canvas.shape([(x, 500), *edges], colours[part % 2])
        canvas.disc((x + 20, 866), 110, "#cfae6a", flat=0.14)
    canvas.line([(190, 480), (190, 880)], "#8a6b45", 16)
    canvas.line([(470, 480), (470, 880)], "#8a6b45", 16)
    sign(canvas, (130, 460, 530, 680), [("LIFEGUARD", 62), ("ON DUTY", 62)], "#fff9ea", "#c8352b")
    for at in ((560, 300), (640, 260), (470, 350)):
        gull(canvas, at, 26)
    return canvas


def mountain() -> Canvas:
    """A snowy peak over a lake, with pointers for walkers."""
    canvas = Canvas(top="#7fc4ee", bottom="#f4efe1")
    cloud(canvas, (210, 210), 55)
    canvas.shape([(300, 700), (700, 130), (1130, 700)], "#7c88a6")
    canvas.shape([(700, 130), (1130, 700), (760, 700), (720, 420)], "#66708f")
    canvas.shape([(700, 130), (820, 290), (760, 320), (720, 280), (660, 330), (590, 290)], "#ffffff")
    canvas.shape([(820, 700), (1060, 330), (1340, 700)], "#8f9ab5")
    canvas.hills(640, 36, "#55835f", seed=3)
    for x in range(20, WIDTH, 62):
        fir(canvas, (x, 690 + 26 * math.sin(x)), 120 + 36 * math.sin(x * 1.7), "#2f5d46")
    canvas.band(720, 830, "#5fb0c9", "#9ad7df")
    canvas.hills(850, 16, "#7fa650", seed=5)
    canvas.specks((0, 870, WIDTH, HEIGHT), 130, ("#ffd166", "#ffffff", "#ef8a8a"), 6, seed=2)
    canvas.box((330, 440, 354, 930), "#6b4a2f")
    arrow_sign(canvas, (300, 500), 480, "SUMMIT TRAIL  2 H", "#f2c14e", "#33261a", left=False)
    arrow_sign(canvas, (300, 590), 420, "LAKE VIEW  45 MIN", "#f2c14e", "#33261a", left=False)
    return canvas


def desert_road() -> Canvas:
    """A straight road, far hills and a green sign with distances."""
    canvas = Canvas(top="#f29e6d", bottom="#fde7b8")
    canvas.disc((960, 420), 90, "#fff1c9")
    canvas.glow([(960, 420)], 200, "#ffe0a0", 0.7)
    canvas.hills(500, 46, "#b8694f", seed=11, waves=3)
    canvas.hills(560, 24, "#9a533f", seed=4)
    canvas.band(560, HEIGHT, "#d99a5b", "#b97842")
    canvas.shape([(740, 560), (770, 560), (1180, HEIGHT), (330, HEIGHT)], "#4d4a52")
    for near, far in ((0.05, 0.12), (0.2, 0.34), (0.48, 0.72)):
        middle = [(755, 560 + 400 * near), (755, 560 + 400 * far)]
        canvas.line(middle, "#f7d774", 4 + 16 * far)
    for x, y, size in ((1120, 690, 120), (1010, 610, 60)):
        canvas.line([(x, y), (x, y - size)], "#4d7a4c", size / 5)
        canvas.line([(x, y - size * 0.4), (x + size * 0.4, y - size * 0.4), (x + size * 0.4, y - size * 0.8)],
                    "#4d7a4c", size / 7)  # fmt: skip
    canvas.line([(150, 300), (150, 900)], "#8d8d92", 14)
    canvas.line([(560, 300), (560, 760)], "#8d8d92", 14)
    sign(canvas, (90, 240, 640, 520), [("ROUTE 66", 78), ("SANTA FE  64", 54), ("ALBUQUERQUE  122", 54)],
         "#1d7a4f", "#ffffff")  # fmt: skip
    return canvas


def harbour() -> Canvas:
    """A sailing boat with its name on the bow."""
    canvas = Canvas(top="#8fcdf0", bottom="#fdf3dc")
    cloud(canvas, (980, 190), 62)
    canvas.hills(470, 30, "#9fb6a4", seed=8)
    for number, colour in enumerate(("#f4a259", "#f7ede2", "#84a59d", "#f28482", "#f6bd60", "#cdb4db")):
        x = 40 + number * 96
        canvas.box((x, 340 - 30 * (number % 3), x + 90, 500), colour)
        canvas.shape([(x - 4, 342 - 30 * (number % 3)), (x + 45, 296 - 30 * (number % 3)),
                      (x + 94, 342 - 30 * (number % 3))], "#b5523b")  # fmt: skip
        for row in (380, 430):
            canvas.box((x + 20, row, x + 40, row + 28), "#5a6b7b")
            canvas.box((x + 54, row, x + 74, row + 28), "#5a6b7b")
    canvas.band(500, HEIGHT, "#2b7fa3", "#195672")
    for y in range(530, HEIGHT, 42):
        for x in range((y * 7) % 120, WIDTH, 190):
            canvas.line([(x, y), (x + 50, y)], "#66b2cc", 4)
    canvas.line([(720, 110), (720, 690)], "#6b4a2f", 14)
    canvas.shape([(736, 130), (736, 620), (1090, 620)], "#fffaf0")
    canvas.shape([(704, 160), (704, 620), (450, 620)], "#f4d9c6")
    canvas.shape([(720, 110), (820, 134), (720, 158)], "#d62839")
    canvas.shape([(330, 660), (1180, 660), (1060, 830), (430, 830)], "#fdfdfb")
    canvas.shape([(405, 790), (1090, 790), (1060, 830), (430, 830)], "#d62839")
    canvas.text((740, 725), "SEA BREEZE", 84, "#1d3557")
    return canvas


def lighthouse() -> Canvas:
    """A lighthouse at dusk."""
    canvas = Canvas(top="#3d4b82", bottom="#f7a072")
    canvas.specks((0, 0, WIDTH, 260), 60, ("#fff6d5",), 3, seed=6)
    canvas.disc((260, 560), 80, "#ffd9a0")
    canvas.band(600, HEIGHT, "#5b5a8c", "#2a2f55")
    canvas.band(600, 612, "#ffcf9c", "#b9879a")
    canvas.glow([(940, 200)], 170, "#fff0b8", 0.9)
    canvas.shape([(960, 190), (0, 40), (0, 190)], "#f8d9a8")
    canvas.hills(760, 30, "#30304a", seed=9)
    canvas.shape([(880, 260), (1000, 260), (1040, 760), (840, 760)], "#f7f3ea")
    for top in (330, 470, 610):
        grow = (top - 260) * 0.08
        canvas.shape(
            [(880 - grow, top), (1000 + grow, top), (1006 + grow, top + 70), (874 - grow, top + 70)], "#c43d3d"
        )
    canvas.box((868, 244, 1012, 264), "#2b2b3d")
    canvas.box((896, 160, 984, 246), "#ffe9a8", outline="#2b2b3d", line=6)
    canvas.shape([(884, 162), (940, 104), (996, 162)], "#c43d3d")
    sign(canvas, (120, 690, 660, 890), [("NORTH POINT", 66), ("LIGHTHOUSE 1887", 56)], "#f5ead2", "#31304f")
    return canvas


def northern_lights() -> Canvas:
    """Snow, firs and a green sky."""
    canvas = Canvas(top="#0b1033", bottom="#23506b")
    canvas.specks((0, 0, WIDTH, 560), 160, ("#ffffff", "#d9e8ff"), 3, seed=12)
    for number, colour in enumerate(("#3ddc97", "#58e6b0", "#7b5bd6")):
        curtain = [(x, 170 + 76 * number + 46 * math.sin(x / 160 + number * 2)) for x in range(-40, WIDTH + 40, 20)]
        canvas.glow(curtain, 70, colour, 0.5)
    canvas.hills(640, 44, "#182a4d", seed=13)
    canvas.hills(760, 20, "#e6eef8", seed=14)
    for x, size in ((90, 330), (230, 250), (1010, 300), (1150, 390), (890, 200)):
        fir(canvas, (x, 830), size, "#12263a")
    canvas.shape([(560, 790), (650, 640), (740, 790)], "#e8a33d")
    canvas.shape([(628, 790), (650, 700), (672, 790)], "#7a4a1e")
    canvas.glow([(650, 760)], 120, "#ffb84d", 0.5)
    canvas.line([(400, 700), (400, 900)], "#5d4630", 16)
    sign(canvas, (250, 640, 550, 790), [("AURORA", 60), ("CAMP", 60)], "#8a6642", "#fff4dc")
    return canvas


def snow() -> Canvas:
    """A quiet winter field: nothing to read."""
    canvas = Canvas(top="#a9c7e8", bottom="#fbeee6")
    canvas.disc((330, 260), 66, "#fff7e3")
    canvas.glow([(330, 260)], 140, "#fff2d0", 0.7)
    canvas.hills(560, 46, "#c3d4ea", seed=21)
    canvas.hills(660, 30, "#dfe9f6", seed=22)
    for x, size in ((860, 260), (980, 350), (1110, 240), (140, 180), (220, 130)):
        fir(canvas, (x, 760), size, "#4f7475")
    canvas.hills(790, 22, "#f7fafe", seed=23)
    for x, y, r in ((560, 830, 92), (560, 700, 66), (560, 604, 46)):
        canvas.disc((x, y), r, "#ffffff")
        canvas.disc((x + r * 0.25, y + r * 0.2), r * 0.7, "#eef3fa")
    canvas.shape([(566, 606), (626, 618), (566, 620)], "#ee8434")
    for at in ((546, 592), (578, 592), (560, 690), (560, 726)):
        canvas.disc(at, 6, "#2f3545")
    canvas.box((512, 552, 608, 564), "#39324b")
    canvas.box((530, 500, 590, 556), "#39324b")
    canvas.line([(516, 646), (604, 646)], "#d1495b", 18)
    canvas.specks((0, 0, WIDTH, HEIGHT), 150, ("#ffffff",), 5, seed=24)
    return canvas


def balloon() -> Canvas:
    """A hot-air balloon, upright."""
    canvas = Canvas(HEIGHT, WIDTH, top="#3f9fdc", bottom="#fbe3c0")
    cloud(canvas, (200, 300), 54)
    cloud(canvas, (780, 560), 64)
    canvas.hills(1080, 40, "#8db580", seed=31)
    canvas.hills(1150, 24, "#5f9560", seed=32)
    for width, colour in ((310, "#e63946"), (230, "#f4a261"), (140, "#ffd166"), (56, "#fff1d0")):
        canvas.shape(_envelope(480, 430, width), colour)
    canvas.box((190, 380, 770, 500), "#1d3557")
    canvas.text((480, 440), "FLY HIGH", 96, "#ffffff")
    canvas.line([(430, 800), (450, 900)], "#5d4630", 5)
    canvas.line([(530, 800), (510, 900)], "#5d4630", 5)
    canvas.box((430, 896, 530, 976), "#9c6b3f", radius=10)
    canvas.box((430, 896, 530, 914), "#6b4a2f", radius=8)
    return canvas


def _envelope(x: float, y: float, width: float) -> list[tuple[float, float]]:
    """Outline of a balloon's skin, or of one of its inner stripes: round above, narrow below."""
    points = []
    for step in range(61):
        angle = math.pi * step / 60
        fall = 310 if angle < math.pi / 2 else 400
        narrow = 1 if angle < math.pi / 2 else 1 - 0.35 * math.cos(angle) ** 2
        points.append((width * math.sin(angle) * narrow + (26 if step == 60 else 0), -fall * math.cos(angle)))
    return [(x + dx, y + dy) for dx, dy in points] + [(x - dx, y + dy) for dx, dy in reversed(points)]

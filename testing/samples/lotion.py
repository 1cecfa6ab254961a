"""A pump bottle of hand lotion: matt white body with a printed front, a soft black pump with a spout."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from testing.samples.studio import Shot, colour, curve, made_of, printed, tube, turned

SHOT = Shot(paper=(205, 186, 170), foot=0.90, pitch=0.12, exposure=0.33)
PRINT = (4096, 3072)
"""Pixels of the body's print: once around, and from foot to shoulder."""
PAPER, SAGE, INK = (196, 208, 190), (86, 112, 88), (44, 56, 46)
LINES = (
    ("HAND LOTION", 96, 1640),
    ("fig & olive leaf", 84, 1780),
    ("300 ml  /  10.1 fl oz", 60, 2330),
)


def front() -> NDArray[np.uint8]:
    """Return the colours of the body: sage, and in front a leaf and its name."""
    picture = Image.new("RGB", PRINT, PAPER)
    draw = ImageDraw.Draw(picture)
    middle = PRINT[0] // 2
    for side in (-1, 1):
        for step in range(4):
            x, y = middle + side * (66 + 4 * step), 1180 - 84 * step
            draw.ellipse((x - 62, y - 26, x + 62, y + 26), fill=SAGE)
    draw.line((middle, 1250, middle, 850), fill=SAGE, width=12)
    draw.text((middle, 1440), "ORLA", INK, ImageFont.load_default(250), anchor="mm")
    for text, size, row in LINES:
        draw.text((middle, row), text, INK, ImageFont.load_default(size), anchor="mm")
    draw.line((middle - 120, 2240, middle + 120, 2240), fill=INK, width=6)
    return np.asarray(picture)


def lotion() -> dict[str, Any]:
    """Return its parts."""
    body = curve(
        (0.0, 0.0), (0.30, 0.0), (0.325, 0.02), (0.33, 0.2), (0.33, 0.86), (0.32, 0.95), (0.16, 0.985), (0.115, 1.0)
    )
    collar = curve((0.0, 0.985), (0.13, 0.985), (0.135, 1.0), (0.135, 1.10), (0.125, 1.115), (0.06, 1.12), (0.0, 1.12))
    stem = [(0.045, 1.10), (0.045, 1.24)]
    head = curve((0.0, 1.235), (0.09, 1.235), (0.1, 1.25), (0.1, 1.315), (0.09, 1.33), (0.04, 1.332), (0.0, 1.332))
    spout = [(-0.05, 1.296, 0.0), (-0.17, 1.297, 0.0), (-0.25, 1.293, 0.0), (-0.285, 1.272, 0.0), (-0.292, 1.235, 0.0)]
    soft = {"type": "principled", "base_color": colour((38, 38, 40)), "roughness": 0.38, "specular": 0.5}
    matt = {"type": "principled", "base_color": printed(front()), "roughness": 0.42, "specular": 0.5}
    return {
        "body": made_of(turned(body), matt),
        "collar": made_of(turned(collar), soft),
        "stem": made_of(turned(stem), soft),
        "head": made_of(turned(head), soft),
        "spout": made_of(tube(spout, 0.034), soft),
    }

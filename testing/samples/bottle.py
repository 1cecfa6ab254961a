"""A powder-coated bottle with a steel neck, a glossy lid with a carrying loop, and a printed label."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from services.generation.engines.set.noise import noise
from testing.samples.studio import Shot, curve, loop, made_of, printed, rough, turned

SHOT = Shot()
LABEL = (4096, 3072)
"""Pixels of the body's print: once around, and from foot to shoulder."""
TEAL, CREAM, ORANGE, INK = (23, 96, 100), (240, 232, 214), (226, 120, 52), (26, 60, 64)
FINE_PRINT = (
    "18/8 STAINLESS STEEL  -  DOUBLE WALL",
    "NET 750 ML / 25 FL OZ",
    "HAND WASH ONLY. DO NOT FREEZE.",
    "KEEP THE LID CLOSED WHILE IT IS CARRIED.",
)


def body_print() -> NDArray[np.uint8]:
    """Return the body's colours: powder coat, and a label with a mark, a name and fine print in front."""
    picture = Image.new("RGB", LABEL, TEAL)
    draw = ImageDraw.Draw(picture)
    width, height = LABEL
    middle, top, bottom = width // 2, round(0.28 * height), round(0.66 * height)
    half = round(0.17 * width)
    draw.rounded_rectangle((middle - half, top, middle + half, bottom), 40, fill=CREAM)
    draw.rectangle((middle - half, bottom - 330, middle + half, bottom - 292), fill=ORANGE)
    draw.ellipse((middle - 120, top + 90, middle + 120, top + 330), fill=ORANGE)
    draw.polygon([(middle - 92, top + 272), (middle - 18, top + 158), (middle + 26, top + 218)], fill=CREAM)
    draw.polygon([(middle - 14, top + 272), (middle + 38, top + 190), (middle + 94, top + 272)], fill=CREAM)
    draw.text((middle, top + 480), "TRAILMATE", INK, ImageFont.load_default(190), anchor="mm")
    draw.text((middle, top + 630), "INSULATED BOTTLE", INK, ImageFont.load_default(84), anchor="mm")
    for number, line in enumerate(FINE_PRINT):
        draw.text((middle, bottom - 232 + 52 * number), line, INK, ImageFont.load_default(38), anchor="mm")
    return np.asarray(picture)


def bottle() -> dict[str, Any]:
    """Return its parts."""
    body = curve(
        (0.0, 0.0), (0.29, 0.0), (0.315, 0.02), (0.32, 0.2), (0.32, 0.9), (0.30, 1.0), (0.19, 1.06), (0.165, 1.09)
    )
    neck = [(0.165, 1.07), (0.165, 1.135), (0.17, 1.14)]
    ridges = 1 + 0.010 * np.tile(np.sin(np.linspace(0, 2 * math.pi * 44, 2048)), (8, 1))
    lid = curve((0.0, 1.13), (0.205, 1.13), (0.212, 1.15), (0.212, 1.27), (0.195, 1.30), (0.10, 1.305), (0.0, 1.31))
    plastic = {
        "type": "principled",
        "base_color": {"type": "rgb", "value": [0.022, 0.024, 0.027]},
        "roughness": 0.2,
        "specular": 0.5,
    }
    coat = {"type": "principled", "base_color": printed(body_print()), "roughness": 0.27, "specular": 0.6}
    return {
        "body": made_of(turned(body), rough(noise(np.random.default_rng(7), 0.2, 90), 0.0003, coat)),
        "neck": made_of(turned(neck), {"type": "roughconductor", "material": "Cr", "alpha": 0.13}),
        "lid": made_of(turned(lid, 384), rough(ridges, 0.9, plastic)),
        "loop": made_of(loop(0.125, 0.026, 1.40), plastic),
    }

"""A stoneware mug: speckled glaze that ends above a raw foot, a handle, coffee inside, and a printed mark."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from services.generation.engines.set.noise import noise
from testing.samples.studio import Shot, colour, curve, made_of, printed, rough, tube, turned

SHOT = Shot(paper=(176, 190, 188), foot=0.82, pitch=0.26, exposure=0.32)
PRINT = (4096, 1536)
"""Pixels of the print: once around, and from the foot over the rim to the inside."""
GLAZE, CLAY, SPECK, INK = (238, 230, 214), (176, 120, 84), (120, 92, 66), (64, 74, 66)


def glaze() -> NDArray[np.uint8]:
    """Return the colours of the body: raw clay at the foot, speckled glaze above, and the mark in front."""
    rng = np.random.default_rng(11)
    picture = Image.new("RGB", PRINT, GLAZE)
    draw = ImageDraw.Draw(picture)
    width, height = PRINT
    for x, y, size in zip(
        rng.integers(0, width, 1500), rng.integers(0, height, 1500), rng.gamma(1.6, 1.3, 1500), strict=True
    ):
        draw.ellipse((x - size, y - size / 1.6, x + size, y + size / 1.6), fill=SPECK)
    edge = [(x, 0.885 * height + 9 * math.sin(x / 170) + 5 * math.sin(x / 61)) for x in range(0, width + 1, 16)]
    draw.polygon([*edge, (width, height), (0, height)], fill=CLAY)
    middle = width // 2
    for radius in (150, 118, 86, 54):
        draw.arc((middle - radius, 640 - radius, middle + radius, 640 + radius), 180, 360, fill=INK, width=13)
    draw.line((middle - 190, 652, middle + 190, 652), fill=INK, width=13)
    draw.text((middle, 750), "SLOW MORNING", INK, ImageFont.load_default(92), anchor="mm")
    return np.asarray(picture)


def mug() -> dict[str, Any]:
    """Return its parts."""
    body = curve(
        (0.0, 0.0), (0.36, 0.0), (0.42, 0.03), (0.45, 0.16), (0.46, 0.75), (0.46, 0.92), (0.452, 0.945), (0.435, 0.94)
    )
    inside = curve((0.436, 0.94), (0.432, 0.9), (0.43, 0.6), (0.428, 0.5))
    handle = [
        (0.435 + 0.30 * math.sin(turn) ** 0.8, 0.50 + 0.29 * math.cos(turn), 0.0)
        for turn in np.linspace(0.02, math.pi - 0.02, 60)
    ]
    shine = {"type": "principled", "roughness": 0.22, "specular": 0.5}
    clay = noise(np.random.default_rng(5), 0.4, 60)
    return {
        "body": made_of(turned(body), rough(clay, 0.0006, {**shine, "base_color": printed(glaze())})),
        "inside": made_of(turned(inside), {**shine, "base_color": colour(GLAZE)}),
        "handle": made_of(tube(handle, 0.055, 1.35), rough(clay, 0.0006, {**shine, "base_color": colour(GLAZE)})),
        "coffee": made_of(
            turned([(0.43, 0.80), (0.0, 0.8001)]),
            {"type": "principled", "base_color": colour((46, 26, 16)), "roughness": 0.06, "specular": 0.5},
        ),
    }

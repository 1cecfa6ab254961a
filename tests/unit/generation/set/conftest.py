from pathlib import Path

import numpy as np
import pytest

from services.generation.compose.layout import free_box
from services.generation.engines.set.description import SetDescription, all_sets
from services.generation.engines.set.look import look_at
from services.generation.engines.set.set_engine import SetEngine, Shot
from services.generation.geometry import Size
from services.generation.srgb import Light

KERNELS = Path("var/kernels")
"""Where `make demo` and `make run` keep them, too: compiled once per machine."""
AD = Size(300, 250)


@pytest.fixture(scope="session")
def engine() -> SetEngine:
    return SetEngine(Path("weights"), KERNELS, samples=8)


def jar(colour: tuple[float, float, float] = (0.55, 0.05, 0.04), *, height: int = 170, width: int = 100) -> Light:
    """Return a jar with a round foot and a shaded side, (height, width, 4), premultiplied."""
    down, across = np.mgrid[:height, :width].astype(np.float32)
    aside = (across - (width - 1) / 2) / (width / 2)
    foot = height - 1 - 0.06 * width * (1 - np.sqrt(np.clip(1 - aside**2, 0, 1)))
    alpha = ((np.abs(aside) < 0.98) & (down <= foot)).astype(np.float32)
    shade = 0.45 + 0.55 * np.clip(1 - np.abs(aside + 0.3), 0, 1)
    return np.dstack([shade[..., None] * np.array(colour, np.float32) * alpha[..., None], alpha]).astype(np.float32)


def shot(name: str, layer: Light | None = None, ad: Size = AD, seed: int = 3) -> Shot:
    """Return a shot of a jar in a set."""
    product = jar() if layer is None else layer
    photo_set: SetDescription = all_sets()[name]
    box = free_box(Size(product.shape[1], product.shape[0]), ad, "none", stands=photo_set.stands)
    import cv2

    scaled = cv2.resize(product, (box.width, box.height), interpolation=cv2.INTER_AREA)
    return Shot(photo_set, np.asarray(scaled, np.float32), box, ad, look_at(product), seed)

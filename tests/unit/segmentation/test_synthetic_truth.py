"""Cutouts of rendered products against their true alpha."""

import numpy as np
import pytest

from services.segmentation.cutout.cutout import cut_out
from services.segmentation.engines.base import Engines
from testing.products.drawn import GROUNDS, PRODUCTS, glass, photographed, plain, with_shadow

pytestmark = pytest.mark.slow

SIDE = 600
TONE_ON_TONE = {"white on white": 238, "dark on dark": 28}

TOO_HARD = {
    ("plush", "photographic"): "gaps between hairs before many colours are not opened",
}
"""Known failures. Strict xfail: a fix must remove its entry."""


def cases() -> list[object]:
    return [
        pytest.param(
            product,
            ground,
            marks=[pytest.mark.xfail(strict=True, reason=TOO_HARD[product, ground])]
            if (product, ground) in TOO_HARD
            else [],
        )
        for product in PRODUCTS
        for ground in (["plain"] if product in TONE_ON_TONE else GROUNDS)
    ]


@pytest.mark.parametrize(("product", "ground"), cases())
def test_the_alpha_is_the_true_one(product: str, ground: str, engines: Engines) -> None:
    rendered = PRODUCTS[product](SIDE)
    behind = plain(SIDE, TONE_ON_TONE[product]) if product in TONE_ON_TONE else GROUNDS[ground](SIDE)
    found = cut_out(photographed(rendered, behind), None, engines).pixels
    alpha, truth = found[..., 3] / 255, rendered.alpha
    edge = (truth > 0.02) & (truth < 0.98)
    overlap = ((alpha > 0.5) & (truth > 0.5)).sum() / ((alpha > 0.5) | (truth > 0.5)).sum()
    assert overlap > 0.97
    assert np.abs(alpha - truth).mean() < 0.005
    assert np.abs(alpha - truth)[edge].mean() < 0.2
    # No part of the product is lost, thin and cropped ones included; no ground remains in its holes.
    assert np.minimum(alpha, truth).sum() > 0.99 * truth.sum()
    assert alpha[truth == 0].mean() < 0.005
    # No halo: along the edge, colours are the product's, not mixed with the ground's.
    seen = edge & (alpha > 0.3)
    assert np.abs(found[..., :3][seen] - rendered.colours[seen]).mean() < 30


EVEN = ("plain", "white")
"""Grounds that are known well enough to be seen through a glass."""


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_glass_keeps_its_rim_and_what_is_seen_through_it_and_its_shadow_are_left(
    ground: str, engines: Engines
) -> None:
    rendered, outline = glass(SIDE)
    found = cut_out(photographed(rendered, with_shadow(GROUNDS[ground](SIDE))), None, engines).pixels
    alpha = found[..., 3] / 255
    rim = (outline == 1) & (rendered.alpha > 0.5) & (rendered.alpha < 0.65)  # the gleam is as white as some grounds
    seen_through = (outline == 1) & (rendered.alpha < 0.2)
    assert np.minimum(alpha, outline)[rim].sum() > 0.97 * outline[rim].sum()
    if ground in EVEN:
        assert alpha[seen_through].mean() < rendered.alpha[seen_through].mean()
    else:  # what is seen through the glass cannot be told from the glass: it is taken whole
        assert np.minimum(alpha, outline).sum() > 0.97 * outline.sum()
    assert alpha[outline == 0].mean() < 0.005


def test_a_large_photo_keeps_its_detail(engines: Engines) -> None:
    rendered = PRODUCTS["chair"](2400)
    found = cut_out(photographed(rendered, GROUNDS["slope"](2400)), None, engines).pixels
    assert found.shape == (2400, 2400, 4)
    alpha = found[..., 3] / 255
    # The edge is about as narrow as rendered; an upscaled matte would have a wider one.
    soft = ((alpha > 0.05) & (alpha < 0.95)).sum() / ((rendered.alpha > 0.05) & (rendered.alpha < 0.95)).sum()
    assert soft < 5
    assert np.abs(alpha - rendered.alpha).mean() < 0.003

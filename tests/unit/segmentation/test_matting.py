import numpy as np
import pytest

from services.segmentation.cutout import matting
from services.segmentation.cutout.matting import clean, estimate_foreground, refine
from testing.pictures import ball


def test_specks_and_pinholes_go_real_holes_stay() -> None:
    mask = np.zeros((200, 200), np.bool_)
    mask[50:150, 50:150] = True
    mask[80:110, 80:110] = False
    mask[60, 60] = False
    mask[5, 5] = True
    cleaned = clean(mask)
    assert not cleaned[5, 5]
    assert cleaned[60, 60]
    assert not cleaned[95, 95]


def test_an_empty_mask_stays_empty() -> None:
    assert not clean(np.zeros((10, 10), np.bool_)).any()


def test_a_rough_edge_snaps_to_the_photos() -> None:
    photo = np.full((300, 300, 3), 230, np.uint8)
    photo[60:240, 60:240] = (20, 40, 60)
    rough = np.zeros((300, 300), np.bool_)
    rough[62:239, 58:241] = True
    alpha = refine(photo, rough, 1536)
    truth = np.zeros((300, 300))
    truth[60:240, 60:240] = 1
    before, after = np.abs(rough - truth).mean(), np.abs(alpha - truth).mean()
    assert after < before
    assert alpha[150, 150] == 1
    assert alpha[10, 10] == 0


def test_a_product_cut_off_by_the_frame_stays_solid_there() -> None:
    photo = np.full((200, 200, 3), 230, np.uint8)
    photo[100:, 50:150] = (20, 40, 60)
    mask = np.zeros((200, 200), np.bool_)
    mask[100:, 50:150] = True
    assert refine(photo, mask, 1536)[-1, 60:140].min() > 0.99


def test_mixed_colours_become_the_products_own() -> None:
    alpha = np.clip((np.arange(200, dtype=np.float32) - 95) / 10, 0, 1)[None].repeat(100, axis=0)
    red, white = np.array([200, 20, 20]), np.array([250, 250, 250])
    photo = (alpha[..., None] * red + (1 - alpha[..., None]) * white).astype(np.uint8)
    found = estimate_foreground(photo, alpha)
    visible = alpha > 0.2
    assert np.abs(found[visible].astype(int) - red).max() < 30
    assert np.array_equal(found[alpha == 1], photo[alpha == 1])


def test_tiles_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, truth = ball(500, 380)
    whole = refine(photo, truth, 1536)
    foreground = estimate_foreground(photo, whole)
    monkeypatch.setattr(matting, "TILE", 96)
    tiled = refine(photo, truth, 1536)
    assert np.abs(tiled - whole).max() < 0.01
    visible = whole > 0.1
    difference = np.abs(estimate_foreground(photo, whole).astype(int) - foreground)[visible]
    assert difference.max() <= 2


def test_a_large_photo_is_refined_from_a_small_mask() -> None:
    photo, truth = ball(2400, 1800)
    small, _ = ball(600, 450)
    alpha = refine(photo, ball(small.shape[1], small.shape[0])[1], 1536)
    assert np.abs(alpha - truth).mean() < 0.002

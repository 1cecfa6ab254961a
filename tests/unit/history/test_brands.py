import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from common.errors import DamagedStoreError, InvalidInputError, NotFoundError
from services.history import paths
from services.history.brands import MAX_LOGO_BYTES, Brand, Brands
from services.history.inspection import damaged_files
from services.history.records.log import RecordLog
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from testing.pictures import encoded

LOGO = encoded(np.full((9, 9, 4), 200, np.uint8))
NORD = Brand("Nord", LOGO, "#176064", "#E27834", "serif", "calm", "Terms apply.")


@pytest.fixture
def brands(store: ObjectStore) -> Brands:
    return Brands(store, HistorySettings())


def test_what_is_put_is_kept_whole(brands: Brands) -> None:
    brands.put(NORD)
    assert brands.get("Nord") == NORD
    assert brands.names() == ["Nord"]


def test_a_name_means_one_brand_however_it_is_written(brands: Brands) -> None:
    brands.put(NORD)
    brands.put(replace(NORD, name="NORD", legal=""))
    assert brands.get("nord").legal == ""
    assert brands.names() == ["NORD"]
    brands.put(replace(NORD, name="ＮＯＲＤ"))
    assert len(brands.names()) == 1


def test_names_are_listed_in_order(brands: Brands) -> None:
    for name in ("zeta", "Alfa", "露露", "beta"):
        brands.put(Brand(name))
    assert brands.names() == ["Alfa", "beta", "zeta", "露露"]


def test_a_deleted_brand_is_gone_and_may_be_deleted_again(brands: Brands) -> None:
    brands.put(NORD)
    for _ in range(2):
        brands.delete("nord")
    with pytest.raises(NotFoundError) as caught:
        brands.get("Nord")
    assert caught.value.reason == "UNKNOWN_BRAND"
    assert brands.names() == []


@pytest.mark.parametrize(
    ("brand", "reason"),
    [
        (replace(NORD, name=""), "BRAND_NAME"),
        (replace(NORD, name=" x"), "BRAND_NAME"),
        (replace(NORD, name="a\x00b"), "BRAND_NAME"),
        (replace(NORD, name="x" * 41), "BRAND_NAME"),
        (replace(NORD, primary_colour="red"), "BRAND_FIELD"),
        (replace(NORD, secondary_colour="#12345"), "BRAND_FIELD"),
        (replace(NORD, font="comic"), "BRAND_FIELD"),
        (replace(NORD, tone="loud"), "BRAND_FIELD"),
        (replace(NORD, legal="x" * 121), "BRAND_FIELD"),
        (replace(NORD, logo=LOGO + bytes(MAX_LOGO_BYTES)), "BRAND_LOGO"),
        (replace(NORD, logo=encoded(np.zeros((9, 9, 3), np.uint8), "JPEG")), "BRAND_LOGO"),
        (replace(NORD, logo=b"text"), "UNSUPPORTED_IMAGE"),
    ],
)
def test_what_is_not_allowed_is_refused_and_the_old_one_stays(brands: Brands, brand: Brand, reason: str) -> None:
    brands.put(NORD)
    with pytest.raises(InvalidInputError) as caught:
        brands.put(brand)
    assert caught.value.reason == reason
    assert brands.get("Nord") == NORD


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"logo": "AA=="}', bytes(2 << 20)])
def test_a_damaged_file_is_named_and_mended_by_putting_the_brand_again(
    store: ObjectStore, brands: Brands, damage: bytes
) -> None:
    brands.put(NORD)
    key = paths.brand_key("Nord")
    store.put(key, damage, paths.JSON)
    with pytest.raises(DamagedStoreError) as caught:
        brands.get("Nord")
    assert caught.value.file == key
    brands.put(Brand("other"))
    assert brands.names() == ["other"]
    assert [error.file for error in damaged_files(store, RecordLog(store, 3))] == [key]
    brands.put(NORD)
    assert brands.get("Nord") == NORD


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">%s</svg>'


@pytest.mark.parametrize(
    ("logo", "size"),
    [
        (SVG % b'<rect width="20" height="20" fill="#c8102e"/>', (1200, 600)),
        (b'<?xml version="1.0"?>\n' + SVG.replace(b"40 20", b"20 40") % b'<circle r="9"/>', (600, 1200)),
        (b"\xef\xbb\xbf<!-- made by hand -->" + SVG % b'<path d="M0 0h40v20z"/>', (1200, 600)),
    ],
)
def test_an_svg_logo_is_stored_as_png(brands: Brands, logo: bytes, size: tuple[int, int]) -> None:
    brands.put(replace(NORD, logo=logo))
    stored = Image.open(io.BytesIO(brands.get("Nord").logo))
    assert (stored.format, stored.mode, stored.size) == ("PNG", "RGBA", size)
    alpha = np.asarray(stored)[..., 3]
    assert alpha.max() == 255
    assert alpha.min() == 0


USES = b"".join(b'<g id="a%d">%s</g>' % (level, b'<use href="#a%d"/>' % (level - 1) * 10) for level in range(1, 9))


@pytest.mark.parametrize(
    ("logo", "problem"),
    [
        (SVG % b'<image href="/etc/hostname" width="9" height="9"/>', "shapes"),
        (SVG % b'<g><image href="data:image/png;base64,AAAA" width="9" height="9"/></g>', "shapes"),
        (SVG % b'<text y="9">Nord</text>', "shapes"),
        (SVG % b'<filter id="f"><feImage href="/etc/hostname"/></filter>', "shapes"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG % b"<rect/>", "cannot be drawn"),
        (b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "/etc/hostname">' + SVG % b"<rect/>", "cannot be drawn"),
        (SVG % (b'<defs><g id="a0"><rect width="1" height="1"/></g>' + USES + b'</defs><use href="#a8"/>'), "drawn"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1000000"/>', "drawn"),
        (b"<svg", "cannot be drawn"),
        (b"<svg\xff\xfe>", "cannot be drawn"),
        (b"<svg/>" + b" " * MAX_LOGO_BYTES, "larger than"),
    ],
)
def test_an_svg_that_is_more_than_shapes_is_refused(brands: Brands, logo: bytes, problem: str) -> None:
    with pytest.raises(InvalidInputError, match=problem) as caught:
        brands.put(replace(NORD, logo=logo))
    assert caught.value.reason == "BRAND_LOGO"
    assert brands.names() == []

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


def test_an_svg_logo_is_stored_as_png(brands: Brands) -> None:
    brands.put(replace(NORD, logo=b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><circle r="1"/></svg>'))
    stored = Image.open(io.BytesIO(brands.get("Nord").logo))
    assert (stored.format, stored.mode, stored.size) == ("PNG", "RGBA", (1200, 600))


def test_an_svg_logo_is_measured_before_it_is_drawn(brands: Brands) -> None:
    with pytest.raises(InvalidInputError, match="larger than"):
        brands.put(replace(NORD, logo=b"<svg/>" + b" " * MAX_LOGO_BYTES))

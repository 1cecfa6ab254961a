"""Ads for platforms, with words and a brand, through the five real processes: what a marketer uploads elsewhere."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from cli.check import violations
from testing.pictures import decoded, encoded
from testing.system import System

PRIMARY = (200, 16, 46)
EMPTY: Mapping[str, str] = {}


@pytest.fixture(scope="module")
def upload(system: System) -> dict[str, Any]:
    """The sample, cut out once; a record keeps it."""
    uploaded: dict[str, Any] = system.upload().json()
    assert system.generate(uploaded, sizes="300x50").status_code == 200
    return uploaded


@pytest.fixture(scope="module")
def pack(system: System, upload: dict[str, Any]) -> dict[str, Any]:
    """Ads for two platforms."""
    answer = system.generate(upload, sizes="google,line,320x50", locale="en", layout="auto", price="$29")
    assert answer.status_code == 200, answer.text
    record: dict[str, Any] = answer.json()
    return record


def logo() -> bytes:
    pixels = np.zeros((60, 180, 4), np.uint8)
    pixels[10:50, 10:170] = (27, 54, 93, 255)
    return encoded(pixels)


def put_brand(system: System, name: str, file: bytes = b"", fields: Mapping[str, str] = EMPTY) -> httpx.Response:
    files: dict[str, Any] = (
        {"logo": ("logo.png", file, "image/png")} if file else {"legal": (None, fields.get("legal", ""))}
    )
    return system.client.put(f"/api/brands/{name}", data=dict(fields), files=files)


def unpacked(system: System, record: dict[str, Any], folder: Path) -> Path:
    archive = system.client.get(f"/api/records/{record['sequence']}/archive")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as packed:
        packed.extractall(folder)
    return folder


def test_a_pack_breaks_no_rule_of_its_platforms(system: System, pack: dict[str, Any], tmp_path: Path) -> None:
    follows_the_rules(system, pack, "google", tmp_path)


@pytest.mark.slow
def test_so_does_one_in_chinese(system: System, upload: dict[str, Any], tmp_path: Path) -> None:
    answer = system.generate(upload, sizes="pmax,line,320x50", locale="zh-TW", layout="auto", price="$29")
    follows_the_rules(system, answer.json(), "pmax", tmp_path)


def follows_the_rules(system: System, record: dict[str, Any], first: str, tmp_path: Path) -> None:
    """Check the archive of ads for a platform, for LINE, and of 320x50."""
    assert record["platforms"] == [first, "line"]
    folder = unpacked(system, record, tmp_path)
    assert list(violations(folder)) == []
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    product = "".join(letter if letter.isalnum() else "-" for letter in record["product_name"])
    assert f"{first}/{product}_1200x628.jpg" in names
    assert f"line/{product}_1200x628.jpg" in names
    assert {f"{first}/texts.csv", "line/texts.csv", "ad_320x50.jpg", "record.json", "short_ad.txt"} <= names


def test_what_breaks_a_rule_is_found(system: System, pack: dict[str, Any], tmp_path: Path) -> None:
    folder = unpacked(system, pack, tmp_path)
    [required] = (folder / "line").glob("*_1200x628.jpg")
    required.rename(folder / "line" / "odd.txt")
    (folder / "line/large.png").write_bytes(encoded(np.random.default_rng(1).integers(0, 255, (900, 900, 3), np.uint8)))
    (folder / "line/broken.jpg").write_bytes(b"no picture")
    texts = folder / "line/texts.csv"
    texts.write_text(texts.read_text(encoding="utf-8-sig") + f"line,title,{'字' * 11},22,20\n", encoding="utf-8")
    told = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    told["placed"][1]["elements"][0]["box"]["bottom"] = 5000
    (folder / "record.json").write_text(json.dumps(told), encoding="utf-8")
    problems = " | ".join(one.problem for one in violations(folder))
    for said in (
        "has no picture of 1200x628, which is required",
        "has 900x900 pixels",
        "is no picture",
        "has 2 title, not 1 to 1",
        "title has 22 half-widths, more than 20",
        "is outside the safe zone",
    ):
        assert said in problems


def test_without_a_word_about_words_the_ads_are_as_before(system: System, upload: dict[str, Any]) -> None:
    record = system.generate(upload).json()
    assert not {"words", "placed", "texts", "brand", "platforms"} & set(record)
    with zipfile.ZipFile(io.BytesIO(system.client.get(f"/api/records/{record['sequence']}/archive").content)) as packed:
        assert "ad_300x250.jpg" in packed.namelist()


def test_only_the_words_of_the_user_are_set_without_a_layout(system: System, upload: dict[str, Any]) -> None:
    record = system.generate(upload, headline="Hello", sizes="300x250").json()
    assert record["words"] == {"headline": "Hello", "call_to_action": "", "price": "", "legal": ""}
    [placed] = record["placed"]
    assert [one["element"] for one in placed["elements"]] == ["headline"]


def test_a_brand_is_kept_and_seen_on_the_ads(system: System, upload: dict[str, Any]) -> None:
    stored = put_brand(
        system, "露露 Lulu", logo(), {"primary_colour": "#C8102E", "tone": "calm", "legal": "Terms apply."}
    )
    assert stored.status_code == 200, stored.text
    assert stored.json() == system.client.get("/api/brands/露露 LULU").json()
    assert system.client.get("/api/brands").json() == {"names": ["露露 Lulu"]}
    record = system.generate(upload, brand="露露 lulu", layout="auto", sizes="1080x1080").json()
    assert record["brand"] == "露露 Lulu"
    assert record["words"]["legal"] == "Terms apply."
    assert {one["element"] for one in record["placed"][0]["elements"]} >= {"logo", "call_to_action", "legal"}
    picture = decoded(system.pictures(record)[0]).astype(int)
    assert (np.abs(picture - PRIMARY).max(axis=2) < 12).mean() > 0.004
    assert system.client.delete("/api/brands/露露 Lulu").status_code == 204
    assert system.client.delete("/api/brands/露露 Lulu").status_code == 204
    assert system.client.get("/api/brands/露露 Lulu").status_code == 404
    gone = system.generate(upload, brand="露露 Lulu")
    assert (gone.status_code, gone.json()["reason"]) == (404, "UNKNOWN_BRAND")
    assert system.generate(upload, sizes="320x50").status_code == 200


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("x", {"primary_colour": "red"}, "BRAND_FIELD"),
        ("x", {"font": "comic"}, "BRAND_FIELD"),
        ("x", {"tone": "loud"}, "BRAND_FIELD"),
    ],
)
def test_a_wrong_brand_is_refused(system: System, name: str, fields: dict[str, str], reason: str) -> None:
    answer = put_brand(system, name, fields=fields)
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)


def test_a_brand_has_a_visible_name(system: System) -> None:
    for method in ("PUT", "GET", "DELETE"):
        answer = system.client.request(method, "/api/brands/%20", data={"tone": "calm"} if method == "PUT" else None)
        assert answer.status_code == 422
        assert "a brand's name has 1 to 40 visible characters" in answer.json()["detail"]


def test_a_logo_is_a_small_picture_with_transparency(system: System) -> None:
    assert put_brand(system, "x", b"GIF89a").json()["reason"] == "UNSUPPORTED_IMAGE"
    photo = encoded(np.zeros((9, 9, 3), np.uint8), "JPEG")
    assert put_brand(system, "x", photo).json()["reason"] == "BRAND_LOGO"
    noise = np.random.default_rng(1).integers(0, 255, (500, 500, 4), np.uint8)
    assert put_brand(system, "x", encoded(noise)).json()["reason"] == "BRAND_LOGO"
    assert put_brand(system, "x", b"\x89PNG" + bytes(2**21)).status_code == 413


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"layout": "diagonal"}, "UNKNOWN_LAYOUT"),
        ({"format": "gif"}, "UNKNOWN_FORMAT"),
        ({"texts": "tiktok"}, "UNKNOWN_PLATFORM"),
        ({"sizes": "10x10"}, "SIZE_BOUNDS"),
    ],
)
def test_what_is_not_offered_is_told_at_once_and_the_upload_kept(
    system: System, upload: dict[str, Any], fields: dict[str, str], reason: str
) -> None:
    answer = system.generate(upload, **fields)
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)
    assert system.client.get(f"/api/uploads/{upload['timestamp']}").status_code == 200


@pytest.mark.parametrize(("file_format", "ending"), [("png", ".png"), ("webp", ".webp"), ("jpeg", ".jpg")])
def test_the_format_is_the_requests_choice(
    system: System, upload: dict[str, Any], file_format: str, ending: str
) -> None:
    record = system.generate(upload, sizes="320x100", format=file_format).json()
    assert record["generated_images"][0].endswith(ending)


def test_platforms_get_a_format_that_they_take(system: System, upload: dict[str, Any]) -> None:
    record = system.generate(upload, sizes="320x100", texts="line", format="webp").json()
    assert record["generated_images"][0].endswith(".jpg")

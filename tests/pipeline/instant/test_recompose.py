"""Variants of ads: the product moved, other words, without a new background; against the five real processes."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from testing.pictures import decoded, encoded
from testing.system import System

TWO = "300x250,320x100"


@pytest.fixture(scope="module")
def in_set(system: System) -> dict[str, Any]:
    record: dict[str, Any] = system.generate(system.upload().json(), sizes=TWO, layout="auto", headline="Hello").json()
    return record


@pytest.fixture(scope="module")
def on_picture(system: System) -> dict[str, Any]:
    ground = np.full((1000, 1600, 3), (230, 226, 218), np.uint8)
    ground[620:] = (150, 120, 90)
    record: dict[str, Any] = system.generate_on(encoded(ground), system.upload().json(), sizes=TWO).json()
    return record


def changed(system: System, record: dict[str, Any], **change: Any) -> httpx.Response:
    return system.client.post("/api/compose", json={"sequence": record["sequence"], **change})


def moved(size: str, **by: float) -> list[dict[str, Any]]:
    return [{"size": size, **by}]


def centre(picture: bytes) -> float:
    """Return the middle column of the red product, as a fraction of the width."""
    pixels = decoded(picture).astype(int)
    columns = np.flatnonzero(((pixels[..., 0] - pixels[..., 1:].max(axis=2)) > 60).sum(axis=0) > 4)
    return float(columns.mean()) / int(pixels.shape[1])


def test_a_moved_product_stands_elsewhere_in_the_same_set(system: System, in_set: dict[str, Any]) -> None:
    answer = changed(system, in_set, moves=moved("300x250", right=-0.15, scale=0.8))
    assert answer.status_code == 200, answer.text
    variant = answer.json()
    assert variant["parent"] == in_set["sequence"]
    assert variant["sequence"] > in_set["sequence"]
    assert (variant["seed"], variant["words"]) == (in_set["seed"], in_set["words"])
    assert variant["engines"] == in_set["engines"], "the set is the same"
    assert "dollars" not in variant
    (old, kept), (new, same) = system.pictures(in_set), system.pictures(variant)
    assert centre(new) < centre(old) - 0.05
    assert same == kept, "what does not change is copied"
    before, after = in_set["products"][0]["box"], variant["products"][0]["box"]
    assert after["right"] - after["left"] == pytest.approx(0.8 * (before["right"] - before["left"]), abs=2)
    assert variant["products"][0]["arrangement"] == {"right": -0.15, "down": 0.0, "scale": 0.8}
    assert variant["products"][1] == in_set["products"][1]
    stages = [stage["name"] for stage in variant["manifest"]["stages"]]
    assert stages == [stage["name"] for stage in in_set["manifest"]["stages"]]
    stored = system.client.get("/api/history").json()[-1]
    assert {name: stored[name] for name in ("sequence", "parent", "products")} == {
        name: variant[name] for name in ("sequence", "parent", "products")
    }
    assert system.client.get(f"/api/records/{in_set['sequence']}").json() == in_set, "the parent is as it was"


def test_a_variant_can_be_varied_and_made_again(system: System, in_set: dict[str, Any]) -> None:
    first = changed(system, in_set, moves=moved("300x250", right=0.1)).json()
    second = changed(system, first, headline="Good day").json()
    assert second["parent"] == first["sequence"]
    assert second["words"]["headline"] == "Good day"
    assert second["products"][0]["arrangement"]["right"] == pytest.approx(0.1)
    again = CliRunner().invoke(app, ["--gateway", str(system.client.base_url), "replay", str(second["sequence"])])
    assert again.exit_code == 0, again.output


def test_after_a_change_of_the_cutout_all_ads_are_of_the_new_one(system: System) -> None:
    upload = system.upload().json()
    record = system.generate(upload, sizes=TWO).json()
    named = {"timestamp": upload["timestamp"], "product_image_filename": upload["filename"]}
    mask = base64.b64encode(encoded(np.full((4, 4), 255, np.uint8))).decode()
    stroke = {"box": {"left": 0, "top": 0, "right": 640, "bottom": 320}, "mask": mask, "on_product": False}
    recut = system.client.post("/api/cut-out", json=named | {"strokes": [stroke]})
    assert recut.status_code == 200, recut.text
    variant = changed(system, record, moves=moved("300x250", right=0.1)).json()
    assert all(new != old for new, old in zip(system.pictures(variant), system.pictures(record), strict=True))
    cutout, composition = variant["manifest"]["stages"][0], variant["manifest"]["stages"][-1]
    present = system.client.get(f"/static/{recut.json()['trans_path']}").content
    assert cutout["outputs"] == composition["inputs"] == [hashlib.sha256(present).hexdigest()]
    assert composition["outputs"] == [hashlib.sha256(picture).hexdigest() for picture in system.pictures(variant)]
    assert composition["facts"] == record["manifest"]["stages"][-1]["facts"]


def test_words_can_be_taken_away(system: System, in_set: dict[str, Any]) -> None:
    variant = changed(system, in_set, layout="none").json()
    assert "words" not in variant
    assert "placed" not in variant
    back = changed(system, variant, layout="left").json()
    assert back["words"]["headline"] == in_set["product_name"]


def test_a_set_shows_less_of_the_shadow_on_request(system: System, in_set: dict[str, Any]) -> None:
    variant = changed(system, in_set, shadow=0.3).json()
    assert variant["preferences"]["shadow"] == pytest.approx(0.3)
    assert all(new != old for new, old in zip(system.pictures(variant), system.pictures(in_set), strict=True))
    moved_on = changed(system, variant, moves=moved("300x250", right=0.1)).json()
    assert moved_on["preferences"] == variant["preferences"]
    replayed = system.client.post(f"/api/records/{moved_on['sequence']}/replay").json()
    assert replayed["same"], replayed
    back = changed(system, variant, shadow=1).json()
    [*again], [*first] = map(decoded, system.pictures(back)), map(decoded, system.pictures(in_set))
    assert all(np.array_equal(new, old) for new, old in zip(again, first, strict=True))


def test_a_product_moves_on_the_picture_that_was_kept(system: System, on_picture: dict[str, Any]) -> None:
    [kept] = on_picture["backgrounds"]
    assert decoded(system.client.get(f"/static/{kept['path']}").content).shape == (1000, 1600, 3)
    answer = changed(system, on_picture, moves=moved("300x250", right=0.2), shadow=0.9)
    assert answer.status_code == 200, answer.text
    variant = answer.json()
    old, new = system.pictures(on_picture)[0], system.pictures(variant)[0]
    assert centre(new) > centre(old) + 0.1
    assert variant["backgrounds"][0]["placement"]["light"]["shadow"] == pytest.approx(0.9)
    assert variant["backgrounds"][0]["path"] != kept["path"], "it outlives its parent"
    assert system.client.delete(f"/api/records/{variant['sequence']}").status_code == 204
    assert system.client.get(f"/static/{variant['backgrounds'][0]['path']}").status_code == 404
    assert system.client.get(f"/static/{kept['path']}").status_code == 200


@pytest.mark.parametrize("by", [{"right": 1.0, "down": 1.0}, {"right": -1.0, "down": -1.0}, {"scale": 4.0}])
def test_a_product_never_leaves_its_ad(system: System, on_picture: dict[str, Any], by: dict[str, float]) -> None:
    variant = changed(system, on_picture, moves=moved("300x250", **by)).json()
    box = variant["products"][0]["box"]
    assert 0 <= box["left"] < box["right"] <= 300
    assert 0 <= box["top"] < box["bottom"] <= 250


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"moves": [{"size": "1x1"}]}, 400, "UNKNOWN_SIZE"),
        ({"moves": [{"size": "300x250", "right": 2}]}, 422, None),
        ({"moves": [{"size": "300x250", "scale": 0}]}, 422, None),
        ({"layout": "upside down"}, 400, "UNKNOWN_LAYOUT"),
        ({"headline": "x" * 61}, 422, None),
        ({"shadow": 2}, 422, None),
        ({"sequence": 4_000_000}, 404, None),
    ],
)
def test_what_cannot_be_done_is_told(
    system: System, in_set: dict[str, Any], change: dict[str, Any], status: int, reason: str | None
) -> None:
    stored = system.stored()
    answer = changed(system, in_set, **change)
    assert answer.status_code == status, answer.text
    assert reason in (None, answer.json().get("reason"))
    assert system.stored() == stored


def test_the_command_line_edits_too(system: System, in_set: dict[str, Any], tmp_path: Path) -> None:
    asked = ["--gateway", str(system.client.base_url), "edit", str(in_set["sequence"])]
    done = CliRunner().invoke(
        app, [*asked, "--size", "320x100", "--right", "0.1", "--headline", "Hi", "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert f"a variant of {in_set['sequence']}" in done.output
    assert {"ad_300x250.jpg", "ad_320x100.jpg", "record.json"} <= {path.name for path in tmp_path.iterdir()}
    nowhere = CliRunner().invoke(app, [*asked, "--right", "0.1"])
    assert nowhere.exit_code == 2
    assert "--size" in nowhere.output

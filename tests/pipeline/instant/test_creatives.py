"""Options of a generation and the provenance in its record, against the five real processes."""

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.__main__ import app
from common.platforms import most_bytes
from common.version import VERSION
from services.generation.engines.set.description import all_sets
from testing.pictures import SAMPLE, decoded, encoded
from testing.system import CUT_OUT, INSTANT, System, started


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def room() -> bytes:
    """Return a picture of a wall and a floor in colours that no set has."""
    picture = np.full((900, 1200, 3), (40, 220, 60), np.uint8)
    picture[600:] = (230, 30, 220)
    return encoded(picture)


def test_every_record_tells_how_it_was_made(system: System) -> None:
    upload = system.upload().json()
    record = system.generate(upload).json()
    manifest = record["manifest"]
    assert manifest["software_version"] == VERSION
    stages = manifest["stages"]
    assert [stage["name"] for stage in stages][:2] == ["cut_out", "copy"]
    assert stages[-1]["name"] == "composition"
    cut, copy, compose = stages[0], stages[1], stages[-1]
    cutout = system.client.get(f"/static/{upload['trans_path']}").content
    assert (cut["inputs"], cut["outputs"]) == ([sha256(CUT_OUT)], [sha256(cutout)])
    assert copy["outputs"] == [sha256(record[ad].encode()) for ad in ("short_ad", "long_ad")]
    backgrounds = [stage for stage in stages if stage["name"] == "background"]
    assert {stage["seed"] for stage in backgrounds} == {record["seed"]}
    assert len(backgrounds) == 1
    assert compose["inputs"] == [sha256(cutout)]
    assert compose["model"] in all_sets()
    assert compose["outputs"] == [sha256(picture) for picture in system.pictures(record)]
    for stage in stages:
        assert stage["seconds"] > 0
        assert record["engines"].get(stage["name"], "").startswith(stage["engine"])
    assert system.client.get("/api/history").json()[-1] == record


def test_a_record_can_be_made_again_byte_for_byte(system: System) -> None:
    preferences = {
        "style": "coloured_paper",
        "layout": "auto",
        "price": "$29",
        "locale": "en",
        "sizes": "300x250,320x100",
    }
    record = system.generate(system.upload().json(), **preferences).json()
    assert record["preferences"] == {"scene": "", "avoid": "", "style": "coloured_paper"}
    assert record["engines"]["composition"] in ("set/paper_sweep", "set/paper_above")
    stored = system.stored()
    again = CliRunner().invoke(
        app, ["--gateway", str(system.client.base_url), "--json", "replay", str(record["sequence"])]
    )
    replayed = json.loads(again.stdout)
    assert [(stage["stage"], stage["state"]) for stage in replayed["stages"]] == [
        ("cut_out", "same"),
        ("copy", "same"),
        ("composition", "same"),
    ]
    assert (again.exit_code, replayed["same"]) == (0, True)
    assert system.stored() == stored, "nothing is stored"
    facts = {name for stage in record["manifest"]["stages"] for name in stage["facts"]}
    assert {"numpy", "mitsuba"} <= facts


def test_what_differs_is_named(system: System) -> None:
    upload = system.upload(SAMPLE.read_bytes(), "flask.jpg").json()
    record = system.generate(upload).json()
    box = {"left": 300, "top": 200, "right": 700, "bottom": 900}
    marked = {"timestamp": upload["timestamp"], "product_image_filename": upload["filename"], "box": box}
    assert system.client.post("/api/cut-out", json=marked | {"start_over": True}).status_code == 200
    replayed = system.client.post(f"/api/records/{record['sequence']}/replay").json()
    composition = replayed["stages"][-1]
    assert composition["stage"] == "composition"
    assert composition["state"] == "not repeated"
    assert composition["detail"] == "the cut-out was changed since"


def test_every_ad_is_labelled_and_its_product_is_that_of_the_photo(system: System) -> None:
    upload = system.upload().json()
    own = system.generate_on(room(), upload).json()
    for record, source_type in (system.generate(upload).json(), "compositeSynthetic"), (own, "compositeCapture"):
        [ad] = system.pictures(record)
        read = Image.open(io.BytesIO(ad)).getxmp()["xmpmeta"]["RDF"]["Description"]
        assert read["DigitalSourceType"].endswith(f"/{source_type}")
        assert read["identifier"] == f"{upload['timestamp']}/{record['request_id']}"
        [fidelity] = record["fidelity"]
        assert fidelity["picture"] == "300x250"
        assert fidelity["largest"] < 1
        assert 0 < fidelity["mean"] < 4
    replayed = system.client.post(f"/api/records/{own['sequence']}/replay").json()
    assert [(stage["stage"], stage["state"]) for stage in replayed["stages"]] == [
        ("cut_out", "same"),
        ("copy", "same"),
        ("composition", "same"),
    ]
    assert system.client.post("/api/records/999/replay").status_code == 404


def test_the_sizes_are_the_users_choice(system: System) -> None:
    upload = system.upload().json()
    record = system.generate(upload, sizes="728x90, 160x600,970x250,300x600,640x640").json()
    shapes = [decoded(picture).shape[1::-1] for picture in system.pictures(record)]
    assert shapes == [(728, 90), (160, 600), (970, 250), (300, 600), (640, 640)]
    assert record["generated_images"][0].endswith("_728x90.jpg")
    for picture, (width, height) in zip(system.pictures(record), shapes, strict=True):
        assert len(picture) <= (most_bytes(width, height) or 150_000)


def test_an_unknown_size_is_refused_and_the_upload_kept(system: System) -> None:
    upload = system.upload().json()
    answer = system.generate(upload, sizes="300x250,12x12")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The size 12x12 is out of bounds: a side has 50 to 2000 pixels")
    assert system.generate(upload, sizes="300x250").status_code == 200


def test_a_picture_of_the_users_own_is_the_background(system: System) -> None:
    record = system.generate_on(room(), system.upload().json()).json()
    assert record["engines"]["background"] == "own picture"
    assert record["prompts"] == []
    [background] = [stage for stage in record["manifest"]["stages"] if stage["name"] == "background"]
    assert background["inputs"] == [sha256(room())]
    assert "seed" not in background
    for picture in map(decoded, system.pictures(record)):
        assert np.abs(picture[3, 3].astype(int) - (40, 220, 60)).max() < 12
        assert np.abs(picture[-3, 3].astype(int) - (230, 30, 220)).max() < 12
        middle = picture[:, picture.shape[1] // 2].astype(int)
        red = (middle[:, 0] > middle[:, 1] + 40) & (np.abs(middle[:, 1] - middle[:, 2]) < 40)
        assert red.sum() > 0.2 * len(middle), "the ball stands in the middle"


@pytest.mark.parametrize(("file", "advice"), [(b"", "empty"), (b"%PDF-1.7", "PNG, JPEG, WebP, HEIC")])
def test_a_picture_that_cannot_be_used_is_refused_and_the_upload_kept(system: System, file: bytes, advice: str) -> None:
    upload = system.upload().json()
    answer = system.generate_on(file, upload)
    assert answer.status_code == 400
    assert advice in answer.json()["detail"]
    assert system.client.get(f"/static/{upload['filename']}").status_code == 200


@pytest.mark.slow
def test_flawed_ads_are_made_anew_and_the_best_come_with_a_note(tmp_path_factory: pytest.TempPathFactory) -> None:
    one_background = {**INSTANT, "GATEWAY_BACKGROUNDS": "square"}
    unreachable = {**one_background, "GENERATION_MIN_CONTRAST": "1000", "GENERATION_CREATIVE_FORMAT": "webp"}
    with started(tmp_path_factory.mktemp("store"), unreachable) as system:
        record = system.generate(system.upload().json(), sizes="").json()
        answers = [system.client.get(f"/static/{path}") for path in record["generated_images"]]
        own = system.generate_on(room(), system.upload().json()).json()
    noted = [
        size for note in record["notes"] for size in note.partition(": the product hardly stands out")[0].split(", ")
    ]
    assert sorted(noted) == ["300x250", "320x480", "336x280"]
    seeds = [stage["seed"] for stage in record["manifest"]["stages"] if stage["name"] == "background"]
    assert len(seeds) == 2
    assert len(set(seeds)) == 2
    assert record["seed"] in seeds
    assert [answer.headers["content-type"] for answer in answers] == ["image/webp"] * 3
    assert [decoded(answer.content).shape[1::-1] for answer in answers] == [(300, 250), (320, 480), (336, 280)]
    assert len([stage for stage in own["manifest"]["stages"] if stage["name"] == "background"]) == 1

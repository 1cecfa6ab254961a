"""Routes of the built-in page, against the five real processes."""

import base64
import gzip
import io
import json
import re
import zipfile
from typing import Any

import numpy as np
import pytest

from common.styles import styles
from testing.pictures import SAMPLE, Pixels, decoded, encoded
from testing.system import System


@pytest.fixture(scope="module")
def uploaded(system: System) -> dict[str, Any]:
    body: dict[str, Any] = system.upload(SAMPLE.read_bytes(), "flask.jpg").json()
    return body


def recut(system: System, upload: dict[str, Any], **change: Any) -> Any:
    named = {"timestamp": upload["timestamp"], "product_image_filename": upload["filename"]}
    return system.client.post("/api/cut-out", json=named | change)


def cutout(system: System, upload: dict[str, Any]) -> Pixels:
    """Return the present cut-out."""
    present = system.client.get(f"/api/uploads/{upload['timestamp']}").json()
    return decoded(system.client.get(f"/static/{present['trans_path']}").content)


def test_a_box_cuts_another_part_out_and_ads_are_made_of_it(system: System, uploaded: dict[str, Any]) -> None:
    whole = cutout(system, uploaded)[..., 3] > 127
    answer = recut(system, uploaded, start_over=True, box={"left": 450, "top": 120, "right": 770, "bottom": 400})
    assert answer.status_code == 200, answer.text
    assert answer.json()["filename"] == uploaded["filename"]
    assert answer.json()["trans_path"] != uploaded["trans_path"], "another cut-out has another name"
    assert answer.json() == system.client.get(f"/api/uploads/{uploaded['timestamp']}").json()
    lid = cutout(system, uploaded)[..., 3] > 127
    assert 0.05 * whole.sum() < lid.sum() < 0.5 * whole.sum()
    assert np.flatnonzero(lid.any(axis=1)).max() < 450
    record = system.generate(uploaded).json()
    stage = record["manifest"]["stages"][0]
    assert stage["name"] == "cut_out"
    assert system.client.get(f"/api/records/{record['sequence']}").json() == record
    assert recut(system, uploaded, start_over=True).status_code == 200, "without marks it is as it was"
    assert ((cutout(system, uploaded)[..., 3] > 127) == whole).mean() > 0.999


def stroke(left: int, top: int, right: int, bottom: int, *, adds: bool) -> dict[str, Any]:
    mask = base64.b64encode(encoded(np.full((4, 4), 255, np.uint8))).decode()
    return {"box": {"left": left, "top": top, "right": right, "bottom": bottom}, "mask": mask, "on_product": adds}


def test_marks_add_and_take_away_and_can_be_undone(system: System, uploaded: dict[str, Any]) -> None:
    whole = cutout(system, uploaded)
    before = system.client.get(f"/api/uploads/{uploaded['timestamp']}").json()
    without = recut(system, uploaded, strokes=[stroke(0, 0, 1200, 400, adds=False)]).json()
    assert without["earlier_cutouts"] == before["earlier_cutouts"] + 1
    lower = cutout(system, uploaded)
    assert not (lower[:380, :, 3] > 127).any()
    assert np.array_equal(lower[450:, :, 3], whole[450:, :, 3])
    added = recut(system, uploaded, strokes=[stroke(20, 20, 60, 60, adds=True)])
    assert added.status_code == 200, added.text
    assert (cutout(system, uploaded)[25:55, 25:55, 3] == 255).all()
    assert recut(system, uploaded, revert="earlier").json()["trans_path"] == without["trans_path"]
    undone = recut(system, uploaded, revert="earlier").json()
    assert undone["later_cutouts"] == 2
    assert np.array_equal(cutout(system, uploaded), whole)
    redone = recut(system, uploaded, revert="later").json()
    assert redone["trans_path"] == without["trans_path"]
    recut(system, uploaded, revert="earlier")
    assert recut(system, uploaded, revert="sideways").status_code == 422
    everything = recut(system, uploaded, strokes=[stroke(0, 0, 1200, 1200, adds=False)])
    assert (everything.status_code, everything.json()["reason"]) == (422, "NOTHING_LEFT")
    assert np.array_equal(cutout(system, uploaded), whole)


def test_a_photo_in_which_nothing_was_found_is_marked_by_hand(system: System) -> None:
    plain = encoded(np.full((200, 300, 3), 250, np.uint8))
    answer = system.client.post("/api/upload-image", files={"product_image": ("plain.png", plain)})
    body = answer.json()
    assert (answer.status_code, body["reason"]) == (422, "NOTHING_FOUND")
    assert system.client.get(f"/static/{body['filename']}").content == plain
    refused = system.generate(body)
    assert (refused.status_code, refused.json()["reason"]) == (422, "NO_CUTOUT")
    assert "mark the product" in refused.json()["detail"]
    assert recut(system, body, revert="earlier").json()["reason"] == "NO_SUCH_CUTOUT"
    marked = recut(system, body, strokes=[stroke(100, 50, 200, 150, adds=True)])
    assert marked.status_code == 200, marked.text
    assert (cutout(system, body)[60:140, 110:190, 3] == 255).all()
    assert recut(system, body, revert="earlier").status_code == 422, "there was no cut-out before"
    record = system.generate(body, sizes="300x250").json()
    assert record["manifest"]["stages"][0]["notes"] == ["CHANGED_BY_HAND"]
    assert "CHANGED_BY_HAND" not in " ".join(record["notes"])


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"strokes": [stroke(0, 0, 1201, 10, adds=True)]}, 400),
        ({"strokes": [stroke(10, 10, 10, 20, adds=True)]}, 400),
        ({"strokes": [stroke(0, 0, 10, 10, adds=True) | {"mask": "?"}]}, 400),
        ({"strokes": [stroke(0, 0, 10, 10, adds=True) | {"mask": base64.b64encode(b"GIF").decode()}]}, 400),
        ({"strokes": [stroke(0, 0, 10, 10, adds=True)] * 65}, 422),
        ({"strokes": [stroke(0, 0, 10, 10, adds=True) | {"mask": "A" * 2**19}]}, 413),
    ],
    ids=["outside", "empty", "no base64", "no picture", "too many", "too large"],
)
def test_strokes_that_cannot_be_are_refused(
    system: System, uploaded: dict[str, Any], change: dict[str, Any], status: int
) -> None:
    before = cutout(system, uploaded)
    answer = recut(system, uploaded, **change)
    assert answer.status_code == status, answer.text
    assert len(answer.json()["detail"]) < 300
    assert np.array_equal(cutout(system, uploaded), before)


def test_a_mark_outside_is_refused_and_the_cutout_stays(system: System, uploaded: dict[str, Any]) -> None:
    before = cutout(system, uploaded)
    answer = recut(system, uploaded, points=[{"x": 5000, "y": 10}])
    assert answer.status_code == 400
    assert answer.json()["reason"] == "PROMPT_OUTSIDE"
    assert "1200x1200" in answer.json()["detail"]
    assert np.array_equal(cutout(system, uploaded), before)


def test_another_photo_is_not_cut(system: System, uploaded: dict[str, Any]) -> None:
    wrong = uploaded | {"filename": f"{uploaded['timestamp']}/upload/other.jpg"}
    assert recut(system, wrong).status_code == 400
    gone = uploaded | {"timestamp": "20200101000000-0123456789abcdef"}
    assert recut(system, gone).status_code == 404
    assert recut(system, uploaded | {"timestamp": "../.."}).status_code == 400


def test_records_are_searched(system: System, uploaded: dict[str, Any]) -> None:
    made = [system.generate(uploaded, product_name=f"Kettle {number}", sizes="300x250").json() for number in range(3)]
    page = system.client.get("/api/records", params={"query": "KETTLE", "page_size": 2}).json()
    assert page["records"] == made[:0:-1]
    rest = system.client.get("/api/records", params={"query": "KETTLE", "page_token": page["next_page_token"]}).json()
    assert rest["records"] == made[:1]
    assert system.client.get("/api/records", params={"page_token": "x"}).status_code == 400
    assert system.client.get("/api/records/4000000000").status_code == 404


def test_a_record_can_be_taken_away_as_a_file(system: System, uploaded: dict[str, Any]) -> None:
    record = system.generate(uploaded, sizes="728x90,300x250").json()
    answer = system.client.get(f"/api/records/{record['sequence']}/archive")
    assert answer.headers["content-type"] == "application/zip"
    assert ".zip" in answer.headers["content-disposition"]
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert packed.testzip() is None
    pictures = [packed.read(f"ad_{path.rpartition('_')[2]}") for path in record["generated_images"]]
    assert pictures == system.pictures(record)
    assert packed.read("long_ad.txt").decode() == record["long_ad"] + "\n"
    assert json.loads(packed.read("record.json")) == record


def test_the_sizes_are_told(system: System) -> None:
    sizes = system.client.get("/api/sizes").json()
    assert sizes["default"] == ["300x250", "320x480", "336x280"]
    assert {"728x90", "1080x1920"} < set(sizes["offered"])


def test_every_style_has_a_thumbnail(system: System) -> None:
    listed = system.client.get("/api/styles").json()["styles"]
    assert [style["name"] for style in listed] == list(styles())
    for style in listed:
        assert style["en"]
        assert style["zh"]
        picture = system.client.get(style["thumbnail"])
        assert picture.headers["content-type"] == "image/webp"
        assert decoded(picture.content).shape == (200, 200, 3)


def test_the_page_and_its_files(system: System) -> None:
    page = system.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    assert system.client.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert system.client.head("/").status_code == 200
    script = re.search(r'src="(/web/[0-9a-f]{16}/app\.js)"', page.text)
    assert script is not None
    plain = system.client.get(script[1], headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-type"].startswith("text/javascript")
    with system.client.stream("GET", script[1], headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    assert system.client.get(script[1].replace("app.js", "sample.jpg")).content == SAMPLE.read_bytes()
    for wrong in ("package.json", "..%2fapp.py", "none.js"):
        assert system.client.get(script[1].replace("app.js", wrong)).status_code == 404
    assert system.client.get("/web/0123456789abcdef/app.js").status_code == 404
    assert system.client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_the_status_tells_of_what_is_up(system: System) -> None:
    body = system.client.get("/api/status").json()
    assert body["services"] == dict.fromkeys(("segmentation", "inpainting", "generation", "history"), True)
    engines = {engine["capability"]: engine for engine in body["engines"]}
    assert body["free_bytes"] > 1e6
    assert engines["cut_out"]["engine"] == "mobile_sam"
    assert engines["cut_out"]["reason"] == "available"
    assert (engines["storage"]["reason"], engines["storage"]["subject"]) == ("requested", "HISTORY_STORE")

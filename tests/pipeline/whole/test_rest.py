"""The full REST contract, against the five real processes on their default engines."""

import io
import json
import os
import re
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from testing.pictures import SAMPLE, cut_ball, decoded, encoded, gradient
from testing.system import FORM, System
from testing.waiting import eventually

FRONTEND = {"Origin": "http://localhost:3001"}


@pytest.fixture(scope="module")
def uploaded(system: System) -> dict[str, Any]:
    answer = system.upload(SAMPLE.read_bytes(), "flask.jpg")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture(scope="module")
def record(system: System, uploaded: dict[str, Any]) -> dict[str, Any]:
    answer = system.generate(uploaded, sizes="")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def detail(answer: httpx.Response, *statuses: int) -> str:
    """Return the detail of an error response with one of these statuses."""
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    body = answer.json()
    assert "detail" in body
    assert set(body) <= {"detail", "reason"}
    assert isinstance(body["detail"], str)
    assert len(body["detail"]) > 10
    assert not re.search(r"Traceback|File \"|grpc|127\.0\.0\.1|\.py", body["detail"])
    return str(body["detail"])


def test_the_choices_of_an_audience(system: System) -> None:
    body = system.client.get("/api/target-audiences").json()
    assert list(body) == ["gender", "age", "interest"]
    assert body["age"]["option5"] == "55+"


def test_an_audience_is_counted(system: System) -> None:
    answer = system.client.post("/api/upload-audience", files={"file": ("a.csv", b"uid\na\nb\na\n")})
    body = answer.json()
    assert list(body) == ["gender_data", "age_data", "interest_data"]
    for chart in body.values():
        assert len(chart["labels"]) == len(chart["values"])
        assert sum(chart["values"]) == 3
    assert body["gender_data"] == {"labels": ["男性", "女性"], "values": [2, 1]}


def test_an_unusable_audience_is_rejected(system: System) -> None:
    post = system.client.post
    assert "uid" in detail(post("/api/upload-audience", files={"file": ("a.csv", b"id\n1\n")}), 400)
    assert "empty" in detail(post("/api/upload-audience", files={"file": ("a.csv", b"")}), 400)
    assert "file" in detail(post("/api/upload-audience"), 422)


def test_an_audience_that_is_not_on_offer_is_rejected_with_those_that_are(
    system: System, uploaded: dict[str, Any]
) -> None:
    answer = system.generate(uploaded, target_audience="女性,Martians")
    assert "Martians" in detail(answer, 400, 422)
    assert "戶外旅遊" in answer.json()["detail"] or "outdoor" in answer.json()["detail"]
    assert answer.json()["reason"] == "UNKNOWN_AUDIENCE"


def test_an_upload_is_cut_out(system: System, uploaded: dict[str, Any]) -> None:
    assert uploaded["filename"] == f"{uploaded['timestamp']}/upload/flask.jpg"
    assert re.fullmatch(
        rf"{uploaded['timestamp']}/upload/flask_[0-9a-f]{{12}}_transparent\.png", uploaded["trans_path"]
    )
    assert system.client.get(f"/static/{uploaded['filename']}").content == SAMPLE.read_bytes()
    answer = system.client.get(f"/static/{uploaded['trans_path']}")
    assert answer.headers["content-type"] == "image/png"
    pixels = decoded(answer.content)
    assert pixels.shape == (1200, 1200, 4)
    assert pixels[700, 600, 3] == 255
    assert pixels[100, 100, 3] == 0
    # The bottle is teal; with swapped channels it would be brown.
    red, _, blue = pixels[450, 600, :3].astype(int)
    assert blue > red + 40


def test_ads_and_texts_are_made(system: System, uploaded: dict[str, Any], record: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d{14}", record["write_date"])
    assert {name: record[name] for name in FORM} == FORM
    assert record["product_image_filename"] == uploaded["filename"]
    assert 50 <= len(record["short_ad"]) <= 100
    assert 200 <= len(record["long_ad"]) <= 300
    assert "TrailMate" in record["short_ad"]
    sizes = []
    for path in record["generated_images"]:
        assert re.fullmatch(r"[A-Za-z0-9_./-]+", path)
        answer = system.client.get(f"/static/{path}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert len(answer.content) <= 150_000
        pixels = decoded(answer.content)
        sizes.append((pixels.shape[1], pixels.shape[0]))
        teal = (pixels[..., 2].astype(int) - pixels[..., 0] > 40) & (pixels[..., 1] > 60)
        assert teal.mean() > 0.03, "the product is missing"
    assert sizes == [(300, 250), (320, 480), (336, 280)]


def test_the_record_names_every_engine(record: dict[str, Any]) -> None:
    composition = record["engines"].pop("composition")
    assert re.fullmatch(r"set/[a-z_]+", composition)
    assert record["engines"] == {"cut_out": "mobile_sam", "background": "set", "copy": "templates"}
    record["engines"]["composition"] = composition
    assert record["prompts"] == []


def test_regenerate_makes_new_ads_and_keeps_the_old(
    system: System, uploaded: dict[str, Any], record: dict[str, Any]
) -> None:
    again = system.generate(uploaded).json()
    assert again["seed"] != record["seed"]
    assert set(again["generated_images"]).isdisjoint(record["generated_images"])
    for path in (*record["generated_images"], *again["generated_images"], uploaded["filename"]):
        assert system.client.get(f"/static/{path}").status_code == 200
    history = system.client.get("/api/history").json()
    ours = [entry for entry in history if entry["request_id"] in (record["request_id"], again["request_id"])]
    assert ours == [record, again]
    listed = system.client.get("/api/history")
    assert listed.headers["content-type"] == "application/json"
    current = system.client.get("/api/history", headers={"If-None-Match": listed.headers["etag"]})
    assert (current.status_code, current.content) == (304, b"")
    stored = json.loads((system.store / "static/history_setting.json").read_text(encoding="utf-8"))
    assert record["generated_images"] in [entry.get("generated_images") for entry in stored]


def test_two_uploads_at_one_moment_do_not_meet(system: System) -> None:
    photos = [cut_ball(90 + 20 * number) for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda photo: system.upload(photo, "same.png"), photos))
    first, second = (answer.json() for answer in answers)
    assert first["timestamp"] != second["timestamp"]
    for body, photo in zip((first, second), photos, strict=True):
        assert system.client.get(f"/static/{body['filename']}").content == photo


def test_the_locale_can_be_chosen(system: System, uploaded: dict[str, Any]) -> None:
    body = system.generate(uploaded, locale="en", product_name="Flask", product_describe="Leak-proof.").json()
    assert "Leak-proof" in body["short_ad"]
    assert body["long_ad"].isascii()


def test_a_wrong_field_can_be_corrected_without_a_new_upload(system: System) -> None:
    upload = system.upload().json()
    assert "zh-TW" in detail(system.generate(upload, locale="xx"), 400)
    assert system.client.get(f"/static/{upload['filename']}").status_code == 200


def test_what_stands_in_the_users_picture_is_cleared_away(system: System) -> None:
    scene = np.full((900, 1200, 3), (205, 200, 190), np.uint8)
    scene[700:] = (120, 90, 70)
    scene[250:860, 60:420], scene[220:870, 790:1150] = (40, 60, 110), (50, 90, 60)  # the middle is the only place
    y, x = np.mgrid[:900, :1200]
    scene[np.hypot(x - 605, y - 745) < 110] = (250, 250, 20)
    record = system.generate_on(encoded(scene), system.upload().json()).json()
    assert record["engines"]["inpainting"] == "migan"
    yellow = (250, 250, 20)
    for picture in map(decoded, system.pictures(record)):
        assert (np.abs(picture.astype(int) - yellow).max(axis=2) < 40).mean() < 0.002
    [background] = record["backgrounds"]
    before = background["removal"]["path"]
    assert np.array_equal(decoded(system.client.get(f"/static/{before}").content), scene), "it can be made again"
    replayed = system.client.post(f"/api/records/{record['sequence']}/replay").json()
    assert [(stage["stage"], stage["state"], stage["engine"]) for stage in replayed["stages"][2:]] == [
        ("object_finding", "same", "mobile_sam"),
        ("inpainting", "same", "migan"),
        ("composition", "same", ""),
    ]
    moved = {"sequence": record["sequence"], "moves": [{"size": "300x250", "right": 0.1}]}
    variant = system.client.post("/api/compose", json=moved).json()
    assert system.client.delete(f"/api/records/{record['sequence']}").status_code == 204
    assert system.client.get(f"/static/{before}").status_code == 404
    again = system.client.post(f"/api/records/{variant['sequence']}/replay").json()
    assert [stage["state"] for stage in again["stages"]] == ["same"] * 5, "a variant keeps what it needs itself"


def bomb() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))


def sixty_megapixels() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (10_000, 6_000)).save(buffer, "PNG")
    return buffer.getvalue()


def animation() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("photo", "statuses", "advice"),
    [
        (b"%PDF-1.7 not a picture", (400,), "PNG, JPEG, WebP, HEIC"),
        (encoded(gradient(60, 60), "TGA"), (400,), "PNG, JPEG, WebP, HEIC"),
        (SAMPLE.read_bytes()[:40_000], (400,), "damaged"),
        (sixty_megapixels(), (400,), "50 million pixels"),
        (bomb(), (400,), "50 million pixels"),
        (animation(), (400,), "animated"),
        (b"\xff\xd8\xff" + os.urandom(30_000_000), (413,), "20 MB"),
        (b"\xff\xd8\xff" + os.urandom(20_500_000 + 2**19), (400, 413), "20 MB"),
    ],
    ids=["pdf", "gif", "truncated", "60MP", "bomb", "animated", "30MB", "21MB"],
)
def test_bad_photos_are_refused_and_leave_nothing(
    system: System, photo: bytes, statuses: tuple[int, ...], advice: str
) -> None:
    before = system.stored()
    assert advice in detail(system.upload(photo), *statuses)
    assert system.stored() == before


def test_what_cannot_be_made_together_is_refused_before_the_work(system: System, uploaded: dict[str, Any]) -> None:
    many = ",".join(f"{1990 + number}x2000" for number in range(10))
    assert "or for JPEG" in detail(system.generate(uploaded, sizes=many, format="png"), 400)
    assert system.client.get(f"/api/uploads/{uploaded['timestamp']}").status_code == 200, "it can be corrected"


def test_an_empty_or_missing_photo_is_rejected(system: System) -> None:
    before = system.stored()
    post = system.client.post
    assert "empty" in detail(post("/api/upload-image", files={"product_image": ("a.png", b"")}), 400)
    assert "product_image" in detail(post("/api/upload-image"), 422)
    assert "product_image: must be a file" in detail(post("/api/upload-image", data={"product_image": "text"}), 422)
    detail(
        post(
            "/api/upload-image", content=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data; boundary=x"}
        ),
        400,
        422,
    )
    assert system.stored() == before


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(system: System) -> None:
    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="product_image"; filename="a.png"\r\n\r\n'
        for _ in range(30):
            yield b"\0" * 1_000_000
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        answer = system.client.post("/api/upload-image", content=body(), headers=headers)
    except httpx.WriteError:
        return  # the gateway had responded and closed the connection before all was sent
    assert "20 MB" in detail(answer, 413)


@pytest.mark.parametrize("missing", ["product_name", "target_audience", "product_image_filename", "timestamp"])
def test_missing_fields_are_named(system: System, uploaded: dict[str, Any], missing: str) -> None:
    form = {**FORM, "product_image_filename": uploaded["filename"], "timestamp": uploaded["timestamp"]}
    del form[missing]
    assert f"{missing}: is missing" in detail(system.client.post("/api/generate-product", data=form), 422)


@pytest.mark.parametrize(
    "changes",
    [
        {"product_name": "x" * 101},
        {"product_name": "   "},
        {"product_describe": "x" * 5001},
        {"product_describe": "x" * 3_000_000},
        {"target_audience": "x" * 201},
        {"timestamp": "x" * 10_000},
    ],
)
def test_absurd_texts_are_rejected(
    system: System, uploaded: dict[str, Any], record: dict[str, Any], changes: dict[str, str]
) -> None:
    detail(system.generate(uploaded, **changes), 400, 422)
    assert system.client.get(f"/static/{record['product_image_filename']}").status_code == 200


def test_an_unknown_upload_is_told(system: System, uploaded: dict[str, Any]) -> None:
    gone = "20200101000000-0123456789abcdef"
    answer = system.generate(uploaded, timestamp=gone, product_image_filename=f"{gone}/upload/flask.jpg")
    assert "upload the photo again" in detail(answer, 404)


@pytest.mark.parametrize(
    "field", ["product_name", "product_describe", "target_audience", "product_image_filename", "timestamp"]
)
@pytest.mark.parametrize("value", ["../../../etc/passwd", "..\\..\\windows", "%2e%2e%2fetc", "/etc/passwd", "a\0b"])
def test_paths_from_the_client_lead_nowhere(
    system: System, uploaded: dict[str, Any], record: dict[str, Any], field: str, value: str
) -> None:
    outside = set(system.store.parent.iterdir())
    if field in ("product_image_filename", "timestamp", "target_audience"):
        detail(system.generate(uploaded, **{field: value}), 400, 404, 422)
    elif value == "../../../etc/passwd":  # harmless as text: one generation is enough to show it
        body = system.generate(uploaded, **{field: value}).json()
        assert all(path.startswith(f"{uploaded['timestamp']}/generated/") for path in body["generated_images"])
    assert set(system.store.parent.iterdir()) == outside
    assert system.client.get(f"/static/{record['product_image_filename']}").status_code == 200


def test_a_path_as_a_file_name_stays_in_its_folder(system: System) -> None:
    photo = cut_ball(80)
    for name in ("../../../evil.png", "/etc/evil.png", "..\\evil.png"):
        body = system.upload(photo, name).json()
        assert body["filename"] == f"{body['timestamp']}/upload/evil.png"


@pytest.mark.parametrize(
    "path",
    [
        "nothing.png",
        "..%2f..%2fetc/passwd",
        "history_setting.json",
        "%2e%2e/uploads/x.json",
        "20200101000000/upload/x.png",
        "20200101000000/upload/" + "x" * 300,
        "",
    ],
)
def test_what_is_no_picture_is_not_served(system: System, path: str) -> None:
    detail(system.client.get(f"/static/{path}"), 404)


def test_pictures_can_be_cached(system: System, record: dict[str, Any]) -> None:
    url = f"/static/{record['generated_images'][0]}"
    first = system.client.get(url)
    assert "immutable" in first.headers["cache-control"]
    again = system.client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    head = system.client.head(url)
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(first.content))


def test_the_frontend_may_read_every_answer(system: System, record: dict[str, Any]) -> None:
    for path in ("/api/history", f"/static/{record['generated_images'][0]}", "/api/nothing", "/static/none.png"):
        answer = system.client.get(path, headers=FRONTEND)
        assert answer.headers["access-control-allow-origin"] == FRONTEND["Origin"]
    stranger = system.client.get("/api/history", headers={"Origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in stranger.headers
    preflight = system.client.options(
        "/api/generate-product", headers={**FRONTEND, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 200


def test_health_and_description(system: System) -> None:
    assert system.client.get("/healthz").json() == {"status": "ok"}
    ready = system.client.get("/readyz").json()
    assert ready["ready"] is True
    assert set(ready["services"]) == {"segmentation", "inpainting", "generation", "history"}
    paths = system.client.get("/openapi.json").json()["paths"]
    for path in ("target-audiences", "upload-audience", "upload-image", "generate-product", "history"):
        assert f"/api/{path}" in paths
    assert "examples" in json.dumps(system.client.get("/openapi.json").json()["components"]["schemas"]["RecordBody"])
    assert "detail" in system.client.get("/api/nothing").json()
    assert system.client.put("/api/history").status_code == 405


def test_every_line_of_a_request_carries_its_id(system: System) -> None:
    answer = system.client.get("/api/history", headers={"X-Request-ID": "find-me-again"})
    assert answer.headers["x-request-id"] == "find-me-again"

    def processes() -> set[str]:
        return {line.partition(" ")[0] for line in list(system.lines) if "find-me-again" in line}

    eventually(lambda: processes() == {"gateway", "history"})


def test_uploads_in_the_store_are_complete(system: System) -> None:
    """Whatever the tests before it have done, no upload is incomplete, and no scratch file is left."""
    assert system.upload().status_code == 200
    assert not list((system.store / ".scratch").iterdir())
    for folder in (system.store / "static").iterdir():
        if folder.is_dir():
            upload = system.client.get(f"/api/uploads/{folder.name}").json()
            for path in filter(None, (upload["filename"], upload.get("trans_path"))):
                assert (system.store / "static" / path).is_file(), upload

"""Twenty kinds of damage to each kind of stored file, and what every route answers: nothing lost, nothing overwritten."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.history import paths
from services.history.check import findings
from services.history.settings import HistorySettings
from testing.pictures import ball, encoded
from testing.processes import Parts, parts
from testing.system import FORM

PHOTO = encoded(ball(60, 40)[0])
KEY = {"Idempotency-Key": "order-1"}


def record(number: int) -> dict[str, Any]:
    shown = {"write_date": "20261125093000", "product_name": f"Flask {number}", "generated_images": []}
    return {"sequence": number, **shown, "request_id": f"r{number}"}


def listed(records: list[dict[str, Any]]) -> bytes:
    return json.dumps(records).encode()


def changed(data: bytes, **fields: object) -> bytes:
    """Return a file of one object with other values."""
    found = json.loads(data)
    return json.dumps({**(found[0] if isinstance(found, list) else found), **fields}).encode()


def without(data: bytes, part: slice) -> bytes:
    """Return a valid file that lacks some of its records; a file of one object loses all its fields."""
    found = json.loads(data)
    if not isinstance(found, list):
        return b"{}"
    del found[part]
    return json.dumps(found).encode()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "its first records are missing": lambda data: without(data, slice(0, 10)),
    "its last records are missing": lambda data: without(data, slice(-10, None)),
    "without its brackets": lambda data: data.strip(b"[{}]\n"),
    "cut off": lambda data: data[: len(data) // 2],
    "cut off at the end": lambda data: data.rstrip()[:-1],
    "its beginning is missing": lambda data: data[7:],
    "one byte": lambda _: b"\x00",
    "blanks": lambda _: b"   ",
    "zeros": lambda data: bytes(len(data)),
    "a web page": lambda _: b"<html><body>502 Bad Gateway</body></html>",
    "binary": lambda _: bytes(range(256)) * 4,
    "in UTF-16": lambda data: data.decode().encode("utf-16"),
    "in Latin-1": lambda data: data[:-3] + b"\xe9" + data[-3:],
    "twice": lambda data: data + data,
    "rubbish behind it": lambda data: data + b"}]garbage",
    "null": lambda _: b"null",
    "a number": lambda _: b"42",
    "a text": lambda _: b'"text"',
    "nested deeply": lambda _: b"[" * 100_000,
    "another object": lambda _: b'{"something": "else"}',
    "far too large": lambda data: data + b" " * (65 << 20),
    "a conflict of two versions": lambda data: b"<<<<<<< HEAD\n" + data + b"=======\n" + data + b">>>>>>>\n",
}


@dataclass
class Shop:
    """A running gateway whose store holds one file of each kind."""

    running: Parts
    store: Path
    client: httpx.Client
    finished: dict[str, str]
    unfinished: dict[str, str]

    @property
    def files(self) -> dict[str, Path]:
        """Path of the file of each kind."""
        [claim] = (self.store / "claims").iterdir()
        return {
            "head": self.store / paths.RECORDS,
            "segment": self.store / paths.segment(0),
            "upload": self.store / paths.upload_key(self.unfinished["timestamp"]),
            "lease": self.store / paths.PENDING / self.unfinished["timestamp"],
            "claim": claim,
        }

    def answers(self) -> dict[str, httpx.Response]:
        """Call every route that reads or writes the store."""
        named = {
            "timestamp": self.unfinished["timestamp"],
            "product_image_filename": self.unfinished["filename"],
        }
        get, post, delete = self.client.get, self.client.post, self.client.delete
        photo = {"product_image": ("flask.png", PHOTO)}
        return {
            "history": get("/api/history"),
            "search": get("/api/records?query=flask&page_size=100"),
            "record of the head": get("/api/records/130"),
            "record of the segment": get("/api/records/30"),
            "archive": get("/api/records/30/archive"),
            "get upload": get(f"/api/uploads/{named['timestamp']}"),
            "picture": get(f"/static/{self.unfinished['trans_path']}"),
            "recut": post("/api/cut-out", json=named),
            "another upload": post("/api/upload-image", files=photo),
            "the same upload": post("/api/upload-image", files=photo, headers=KEY),
            "delete nothing": delete("/api/records/99999"),
            "delete no upload": delete("/api/uploads/20200101000000-0123456789abcdef"),
            "ready": get("/healthz"),
        }


AFFECTED = {
    "head": {"history", "search", "record of the head", "record of the segment", "archive", "delete nothing"},
    "segment": {"history", "search", "record of the segment", "archive"},
    "upload": {"get upload", "recut"},
    "lease": {"get upload", "recut"},
    "claim": {"the same upload"},
}
"""Routes that cannot answer without the file; others may, as long as what they answer is right."""
UNNOTICED = {("head", "its last records are missing")}
"""No stored file tells how long the history was; only a backup, or versions of the bucket, can."""
MISSING = {"delete nothing", "delete no upload"}


@pytest.fixture(autouse=True)
def _restored(shop: Shop) -> Iterator[None]:
    """Restore every file after a test, however it ended."""
    whole = {file: file.read_bytes() for file in shop.files.values()}
    yield
    for file, data in whole.items():
        file.write_bytes(data)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    store = tmp_path_factory.mktemp("store")
    for key, numbers in ((paths.segment(0), range(100)), (paths.RECORDS, range(100, 150))):
        (store / key).parent.mkdir(parents=True, exist_ok=True)
        (store / key).write_bytes(listed([record(number) for number in numbers]))
    environment = {"FIXED_SECONDS": "0", "HISTORY_CHECK_SECONDS": "0.3", "GATEWAY_BACKGROUNDS": "square"}
    with (
        parts(store, environment) as running,
        httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=30) as client,
    ):
        made = [
            client.post("/api/upload-image", files={"product_image": ("flask.png", PHOTO)}, headers=headers).json()
            for headers in (KEY, {})
        ]
        yield Shop(running, store, client, *made)


def test_all_is_well_before(shop: Shop) -> None:
    for route, answer in shop.answers().items():
        assert answer.status_code == (404 if route in MISSING else 200), (route, answer.text)
    assert [one["sequence"] for one in shop.client.get("/api/history").json()] == [*range(150)]


@pytest.mark.parametrize("kind", list(AFFECTED))
def test_damage_is_told_and_never_overwritten(shop: Shop, kind: str) -> None:
    file = shop.files[kind]
    whole = file.read_bytes()
    before = len(shop.client.get("/api/history").json())
    upload = f"/api/uploads/{shop.unfinished['timestamp']}"
    for name, damage in DAMAGES.items():
        damaged = damage(whole)
        assert damaged != whole, name
        if (kind, name) in UNNOTICED:
            continue
        file.write_bytes(damaged)
        for route, answer in shop.answers().items():
            about = f"{kind}, {name}, {route}: {answer.status_code} {answer.text[:200]}"
            if answer.status_code == 503:
                assert answer.json()["reason"] == "STORE_DAMAGED", about
                assert "operator" in answer.json()["detail"], about
            else:
                assert answer.status_code == (404 if route in MISSING else 200), about
                assert route not in AFFECTED[kind], about
        assert file.read_bytes() == damaged, f"{kind}, {name}: overwritten"
        told = {finding.subject: finding for finding in findings(settings_of(shop))}
        finding = told[f"file {file.relative_to(shop.store)}"]
        assert not finding.ok
        assert finding.detail
        assert finding.fix
        file.write_bytes(whole)
        mended = shop.client.get({"head": "/api/history", "segment": "/api/history"}.get(kind, upload))
        assert mended.status_code == 200, f"{kind}, {name}: {mended.text[:200]} after it was mended"
    assert len(shop.client.get("/api/history").json()) == before
    assert not any("Traceback" in line for line in shop.running.gateway.lines + shop.running.history.lines)


@pytest.mark.parametrize("name", ["empty", "cut off", "another object", "in UTF-16"])
@pytest.mark.parametrize("kind", list(AFFECTED))
def test_changes_meet_damage_as_readers_do(shop: Shop, kind: str, name: str) -> None:
    """Whatever changes the store: it is done or refused for the damage, which is not written over."""
    file = shop.files[kind]
    stored = {path: path.read_bytes() for path in shop.files.values()}
    damaged = DAMAGES[name](stored[file])
    own = shop.client.post("/api/upload-image", files={"product_image": ("flask.png", PHOTO)}).json()
    file.write_bytes(damaged)
    named = {"timestamp": own["timestamp"], "product_image_filename": own["filename"]}
    unfinished = {
        "timestamp": shop.unfinished["timestamp"],
        "product_image_filename": shop.unfinished["filename"],
    }
    post, delete = shop.client.post, shop.client.delete
    stream = {"Accept": "text/event-stream"}
    changes: dict[str, Callable[[], httpx.Response]] = {
        "generate": lambda: post("/api/generate-product", data=FORM | named),
        "generate from the unfinished": lambda: post("/api/generate-product", data=FORM | unfinished),
        "compose": lambda: post("/api/compose", json={"sequence": 130, "headline": "Ahoy"}),
        "replay": lambda: post("/api/records/130/replay"),
        "delete a record": lambda: delete("/api/records/140"),
        "delete a record of the segment": lambda: delete("/api/records/40"),
        "delete an upload": lambda: delete(f"/api/uploads/{own['timestamp']}"),
    }
    for change, make in changes.items():
        answer = make()
        about = f"{change}: {answer.status_code} {answer.text[:200]}"
        assert answer.status_code < 500 or answer.json()["reason"] == "STORE_DAMAGED", about
        if file.exists():
            assert file.read_bytes() == damaged, f"{about}: overwritten"
    streamed = post("/api/cut-out", json=unfinished, headers=stream)
    assert streamed.status_code in (200, 404, 503)
    assert "internal" not in streamed.text.lower()
    for path, data in stored.items():
        path.write_bytes(data)
    numbers = [one["sequence"] for one in shop.client.get("/api/history").json()]
    assert numbers == [*range(150)], "what was stored is all there when the files are restored"


def settings_of(shop: Shop) -> HistorySettings:
    return HistorySettings(store="disk", disk_dir=shop.store, s3_bucket_name="")


@pytest.mark.parametrize("kind", ["upload", "lease", "claim"])
def test_a_file_that_is_given_up_is_as_if_it_had_never_been(shop: Shop, kind: str) -> None:
    file = shop.files[kind]
    whole = file.read_bytes()
    file.write_bytes(b"{")
    file.unlink()
    expected = {"upload": 404, "lease": 200, "claim": 200}[kind]
    route = {"upload": "get upload", "lease": "get upload", "claim": "the same upload"}[kind]
    assert shop.answers()[route].status_code == expected
    file.write_bytes(whole)
    assert shop.answers()["get upload"].status_code == 200


@pytest.mark.parametrize("gone", [False, True])
def test_a_segment_that_is_missing_is_an_error_until_it_is_restored_or_given_up(shop: Shop, *, gone: bool) -> None:
    file = shop.files["segment"]
    whole = file.read_bytes()
    file.unlink()
    for route in ("history", "search", "record of the segment"):
        assert shop.answers()[route].json()["reason"] == "STORE_DAMAGED", route
    file.write_bytes(b"[]" if gone else whole)
    expected = [*range(100 if gone else 0, 150)]
    assert [one["sequence"] for one in shop.client.get("/api/history").json()] == expected
    found = shop.client.get("/api/records?page_size=100").json()["records"]
    assert [one["sequence"] for one in found] == [*range(149, 49 if not gone else 99, -1)]
    file.write_bytes(whole)


WRONG_FIELDS: list[dict[str, Any]] = [
    {"write_date": 20261125093000},
    {"generated_images": "a.jpg"},
    {"generated_images": [1]},
    {"seed": -1},
    {"seed": "x"},
    {"engines": []},
    {"manifest": {"stages": [{"seconds": "long"}]}},
    {"manifest": 3},
    {"product_name": None},
    {"notes": {"a": 1}},
    {"request_id": float("nan")},
]


@pytest.mark.parametrize("place", [0, 30, 130, 149])
def test_one_record_that_is_none_is_passed_over_counted_and_kept(shop: Shop, place: int) -> None:
    file = shop.files["head" if place >= 100 else "segment"]
    whole = file.read_bytes()
    first = 100 if place >= 100 else 0
    others = [number for number in range(150) if number != place]
    no_records = [{}, {"product_name": "no more than a name"}, None, 7, "text", [1]]
    for poison in [*({**record(place), **wrong} for wrong in WRONG_FIELDS), *no_records]:
        records: list[Any] = json.loads(whole)
        records[place - first] = poison
        file.write_bytes(listed(records))
        answer = shop.client.get("/api/history")
        assert [one["sequence"] for one in answer.json()] == others, poison
        pages, token = [], ""
        while True:
            page = shop.client.get("/api/records", params={"page_size": 100, "page_token": token}).json()
            pages += [one["sequence"] for one in page["records"]]
            token = page["next_page_token"]
            if not token:
                break
        assert pages == others[::-1], poison
        assert shop.client.get(f"/api/records/{place}").status_code == 404
        assert shop.client.get(f"/api/records/{others[0]}").status_code == 200
        assert file.read_bytes() == listed(records)


def test_a_head_with_a_bad_record_is_written_on_and_keeps_it(shop: Shop) -> None:
    file = shop.files["head"]
    whole = file.read_bytes()
    records = json.loads(whole)
    records[7], records[8] = "odd", {"even": "odder"}
    file.write_bytes(listed(records))
    upload = shop.client.post("/api/upload-image", files={"product_image": ("flask.png", PHOTO)}).json()
    form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
    made = shop.client.post("/api/generate-product", data=form)
    assert (made.status_code, made.json()["sequence"]) == (200, 150)
    kept = json.loads(file.read_bytes())
    assert kept[7] == {"sequence": 107, "unreadable": "odd"}
    assert kept[8] == {"sequence": 108, "even": "odder"}
    assert len(shop.client.get("/api/history").json()) == 149
    file.write_bytes(whole)


def test_readiness_names_the_file_and_what_mends_it(shop: Shop) -> None:
    file = shop.files["head"]
    whole = file.read_bytes()
    for damaged in (whole, b"[{", whole):  # first, until what an earlier test damaged is forgotten
        file.write_bytes(damaged)
        wanted = 200 if damaged == whole else 503
        end = time.monotonic() + 10
        while (answer := shop.client.get("/readyz")).status_code != wanted:
            assert time.monotonic() < end
            time.sleep(0.1)
        if wanted == 503:
            assert answer.json()["services"]["history"] is False
            [problem] = answer.json()["problems"]
            assert problem["service"] == "history"
            assert problem["subject"] == paths.RECORDS
            assert problem["detail"].startswith("cannot be read")
            assert "restore the file from a backup" in problem["remedy"]
            assert shop.client.get("/api/records/1").json()["reason"] == "STORE_DAMAGED", "not just: unavailable"
    assert shop.client.get("/readyz").json()["problems"] == []

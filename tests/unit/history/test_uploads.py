import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.errors import ContentionError, InvalidInputError, NotFoundError, PreconditionError
from services.history import leases, paths
from services.history.generations import Generation, Generations, Picture, pictures_of
from services.history.leases import Leases
from services.history.records.codec import Record
from services.history.records.log import RecordLog
from services.history.records.queries import Page, RecordQueries, RecordQuery
from services.history.storage.base import MAX_BYTES, ConflictError, Listed, ObjectStore, StoredObject
from services.history.uploads import KEPT_CUTOUTS, Cutout, Upload, Uploads

HOUR = 3600
JPEG = b"\xff\xd8\xff and so on"


@pytest.fixture
def ledger(store: ObjectStore) -> RecordLog:
    return RecordLog(store, attempts=5)


@pytest.fixture
def uploads(store: ObjectStore, ledger: RecordLog) -> Uploads:
    return Uploads(store, ledger, HOUR)


@pytest.fixture
def later(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that lets two hours pass."""
    passed = 0.0

    def pass_time() -> None:
        nonlocal passed
        passed += 2 * HOUR

    get, listing, written = store.get, store.list, dict[str, float]()

    def since(key: str) -> float:
        return passed - written.get(key, 0)

    def aged_get(key: str, max_bytes: int = MAX_BYTES) -> StoredObject:
        found = get(key, max_bytes)
        return replace(found, age_seconds=found.age_seconds + since(key))

    def aged_list(prefix: str) -> Iterator[Listed]:
        return (replace(found, age_seconds=found.age_seconds + since(found.key)) for found in listing(prefix))

    def noted(write: Callable[..., None]) -> Callable[..., None]:
        def writing(key: str, *arguments: object) -> None:
            write(key, *arguments)
            written[key] = passed

        return writing

    monkeypatch.setattr(store, "get", aged_get)
    monkeypatch.setattr(store, "list", aged_list)
    for name in ("put", "create", "replace"):
        monkeypatch.setattr(store, name, noted(getattr(store, name)))
    monkeypatch.setattr(leases, "monotonic", lambda: time.monotonic() + passed)
    return pass_time


def create(uploads: Uploads, request_id: str = "r1", name: str = "flask.png", photo: bytes = b"photo") -> Upload:
    return uploads.create(request_id, name, photo, "PNG")


def save(
    store: ObjectStore, uploads: Uploads, ledger: RecordLog, upload: Upload, request_id: str = "g1"
) -> dict[str, object]:
    pictures = [Picture("300x250", JPEG, "JPEG"), Picture("320x480", JPEG, "JPEG")]
    fields: Record = {"product_name": "flask", "backgrounds": [{"source_type": ""}, {"removal": {"objects": [1]}}]}
    backgrounds = [Picture(f"background{number}", JPEG, "JPEG") for number in range(2)]
    removals = [Picture("removal0", JPEG, "JPEG")]
    generation = Generation(request_id, upload.timestamp, fields, pictures, backgrounds, removals)
    return Generations(store, uploads, ledger).save(generation)


def listed(ledger: RecordLog) -> Page:
    return RecordQueries(ledger).list_records(RecordQuery())


def all_keys(store: ObjectStore) -> list[str]:
    return sorted(listed.key for listed in store.list(""))


def pictures(store: ObjectStore, upload: Upload) -> list[str]:
    return [listed.key for listed in store.list(f"static/{upload.timestamp}/")]


def test_an_upload_lies_where_the_frontend_looks_for_it(store: ObjectStore, uploads: Uploads) -> None:
    upload = create(uploads)
    assert re.fullmatch(r"\d{14}-[0-9a-f]{16}", upload.timestamp)
    assert upload.photo_path == f"{upload.timestamp}/upload/flask.png"
    assert store.get(f"static/{upload.photo_path}").data == b"photo"
    uploads.put_cutout(upload.timestamp, Cutout(b"cutout", "mobile_sam", {"name": "cut_out"}, 0.5))
    found = uploads.get(upload.timestamp)
    assert re.fullmatch(rf"{upload.timestamp}/upload/flask_[0-9a-f]{{12}}_transparent\.png", found.cutout_path)
    assert uploads.read_cutout(found) == b"cutout"
    assert (found.cutout_engine, found.cutout_stage, found.product_aspect_ratio) == (
        "mobile_sam",
        {"name": "cut_out"},
        0.5,
    )


def test_the_same_request_makes_one_upload(store: ObjectStore, uploads: Uploads) -> None:
    first = create(uploads)
    before = all_keys(store)
    assert create(uploads) == first
    assert all_keys(store) == before
    assert create(uploads, "r2").timestamp != first.timestamp


def test_a_request_id_is_for_one_photo(uploads: Uploads) -> None:
    create(uploads)
    with pytest.raises(PreconditionError) as caught:
        create(uploads, photo=b"another")
    assert caught.value.reason == "REQUEST_ID_REUSED"


def test_a_crash_in_mid_upload_is_mended_by_the_same_request(
    store: ObjectStore, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = store.put

    def crash(key: str, data: bytes, content_type: str) -> None:
        if key.startswith("uploads/"):
            raise OSError("disk full")
        put(key, data, content_type)

    monkeypatch.setattr(store, "put", crash)
    with pytest.raises(OSError, match="disk full"):
        create(uploads)
    monkeypatch.setattr(store, "put", put)
    upload = create(uploads)
    assert uploads.get(upload.timestamp) == upload


def test_what_is_not_there_is_told(uploads: Uploads) -> None:
    unknown = paths.new_timestamp(datetime.now(UTC))
    with pytest.raises(NotFoundError, match="no upload with this timestamp"):
        uploads.get(unknown)
    with pytest.raises(NotFoundError):
        uploads.put_cutout(unknown, Cutout(b"x", "engine", {}, 0))
    assert uploads.discard(unknown) is False
    upload = create(uploads)
    with pytest.raises(PreconditionError, match="no cutout"):
        uploads.read_cutout(uploads.get(upload.timestamp))
    with pytest.raises(InvalidInputError):
        uploads.put_cutout(upload.timestamp, Cutout(b"", "engine", {}, 0))


@pytest.mark.parametrize("bad", ["", "..", "../x", "20260101000000/..", "20260101000000-zzzz", "2026", "a" * 500, "\0"])
def test_malformed_timestamps_are_rejected(uploads: Uploads, bad: str) -> None:
    for call in (uploads.get, uploads.discard):
        with pytest.raises(InvalidInputError):
            call(bad)


def test_a_discarded_upload_leaves_nothing(store: ObjectStore, uploads: Uploads) -> None:
    upload = create(uploads)
    uploads.put_cutout(upload.timestamp, Cutout(b"cutout", "engine", {}, 0))
    assert uploads.discard(upload.timestamp) is True
    assert all_keys(store) == []
    assert uploads.discard(upload.timestamp) is False


def test_a_generation_is_recorded_and_kept(store: ObjectStore, uploads: Uploads, ledger: RecordLog) -> None:
    upload = create(uploads)
    record = save(store, uploads, ledger, upload)
    assert record["product_image_filename"] == upload.photo_path
    assert re.fullmatch(r"\d{14}", str(record["write_date"]))
    ads = record["generated_images"]
    assert isinstance(ads, list)
    assert [path.rpartition("_")[2] for path in ads] == ["300x250.jpg", "320x480.jpg"]
    for path in ads:
        assert store.get(paths.static_key(path)).data == JPEG
    assert json.loads(store.get(paths.RECORDS).data) == [record]
    assert uploads.discard(upload.timestamp) is False
    assert store.get(paths.static_key(upload.photo_path))


def test_a_generation_is_saved_once(store: ObjectStore, uploads: Uploads, ledger: RecordLog) -> None:
    upload = create(uploads)
    first = save(store, uploads, ledger, upload)
    before = all_keys(store)
    assert save(store, uploads, ledger, upload) == first
    assert all_keys(store) == before
    second = save(store, uploads, ledger, upload, "g2")
    assert set(map(str, second["generated_images"])).isdisjoint(map(str, first["generated_images"]))  # type: ignore[call-overload]
    assert len(listed(ledger).records) == 2


def test_pictures_without_a_record_go_when_nobody_can_be_about_to_record_them(
    store: ObjectStore,
    uploads: Uploads,
    ledger: RecordLog,
    later: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = create(uploads)

    def contended(*_: object) -> None:
        raise ContentionError("busy")

    monkeypatch.setattr(ledger, "append", contended)
    with pytest.raises(ContentionError):
        save(store, uploads, ledger, upload)
    assert uploads.discard(upload.timestamp) is False
    later()
    assert uploads.sweep() == 1
    assert all_keys(store) == []


def test_pictures_of_a_save_that_died_go_and_those_beside_them_stay(
    store: ObjectStore,
    uploads: Uploads,
    ledger: RecordLog,
    later: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = create(uploads)
    save(store, uploads, ledger, upload, "g1")
    before = all_keys(store)
    append = ledger.append

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "append", die)
    with pytest.raises(KeyboardInterrupt):
        save(store, uploads, ledger, upload, "g2")
    monkeypatch.setattr(ledger, "append", append)
    assert len(all_keys(store)) == len(before) + 7, "five pictures, a note and a mark"
    uploads.sweep()
    assert len(all_keys(store)) == len(before) + 7, "it may still be under way"
    later()
    uploads.sweep()
    assert all_keys(store) == before


def test_a_save_that_died_after_its_record_keeps_its_pictures(
    store: ObjectStore,
    uploads: Uploads,
    ledger: RecordLog,
    later: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = create(uploads)
    append = ledger.append

    def die(record: dict[str, object], since: int) -> None:
        append(record, since)
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "append", die)
    with pytest.raises(KeyboardInterrupt):
        save(store, uploads, ledger, upload)
    later()
    assert uploads.sweep() == 0
    monkeypatch.setattr(ledger, "append", append)
    record = save(store, uploads, ledger, upload)
    for path in pictures_of(record):
        assert store.get(paths.static_key(path)).data == JPEG
    assert not [key for key in all_keys(store) if key.startswith(("saving/", "pending/"))]


@pytest.mark.parametrize("first_dies", [True, False])
def test_of_several_tries_only_one_leaves_pictures(
    store: ObjectStore, uploads: Uploads, ledger: RecordLog, monkeypatch: pytest.MonkeyPatch, *, first_dies: bool
) -> None:
    upload = create(uploads)
    append = ledger.append

    def overtaken(record: dict[str, object], since: int) -> dict[str, object]:
        monkeypatch.setattr(ledger, "append", append)
        if first_dies:
            raise KeyboardInterrupt
        save(store, uploads, ledger, upload)
        return append(record, since)

    monkeypatch.setattr(ledger, "append", overtaken)
    with suppress(KeyboardInterrupt):
        save(store, uploads, ledger, upload)
    record = save(store, uploads, ledger, upload)
    wanted = {paths.static_key(path) for path in pictures_of(record)}
    assert {key for key in pictures(store, upload) if "/generated/" in key} == wanted
    assert len(listed(ledger).records) == 1


def test_a_conflict_about_nothing_is_told_so_that_it_is_tried_again(
    store: ObjectStore, uploads: Uploads, ledger: RecordLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = create(uploads)
    real = store.create

    def conflict(key: str, data: bytes, content_type: str) -> None:
        if key.startswith("saves/"):
            monkeypatch.setattr(store, "create", real)
            raise ConflictError(key)
        real(key, data, content_type)

    monkeypatch.setattr(store, "create", conflict)
    with pytest.raises(ContentionError, match="is being saved"):
        save(store, uploads, ledger, upload)
    assert save(store, uploads, ledger, upload)["sequence"] == 0


class TestWhoIsFirst:
    """An upload is used while it is being swept or discarded: one of the two gives way."""

    def test_a_save_under_way_keeps_its_upload(self, uploads: Uploads, later: Callable[[], None]) -> None:
        upload = create(uploads)
        with uploads.saving(upload.timestamp, "g1"):
            assert uploads.discard(upload.timestamp) is False
            assert uploads.get(upload.timestamp) == upload
        later()
        assert uploads.get(upload.timestamp) == upload

    def test_an_upload_that_is_being_cleared_away_is_not_worked_on(
        self, store: ObjectStore, uploads: Uploads, later: Callable[[], None]
    ) -> None:
        upload = create(uploads)
        later()
        clearing = Leases(store, paths.PENDING)
        mark = clearing.mark_stale(upload.timestamp, HOUR)
        assert mark is not None
        assert clearing.mark_stale(upload.timestamp, HOUR) is None, "by one only"
        for work in (uploads.get, lambda timestamp: uploads.saving(timestamp, "g").__enter__()):
            with pytest.raises(ContentionError, match="being removed"):
                work(upload.timestamp)
        later()
        assert uploads.sweep() == 1, "even when the first one died over it"
        assert not [key for key in all_keys(store) if key.startswith(("static/", "uploads/", "requests/", "pending/"))]

    def test_a_touch_in_the_last_moment_saves_it(
        self, store: ObjectStore, uploads: Uploads, later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload = create(uploads)
        later()
        replace = store.replace

        def touched_before(key: str, data: bytes, content_type: str, etag: str) -> None:
            monkeypatch.setattr(store, "replace", replace)
            uploads.get(upload.timestamp)
            replace(key, data, content_type, etag)

        monkeypatch.setattr(store, "replace", touched_before)
        assert uploads.sweep() == 0
        assert uploads.get(upload.timestamp) == upload

    def test_an_upload_that_is_gone_takes_no_save(self, store: ObjectStore, uploads: Uploads) -> None:
        upload = create(uploads)
        assert uploads.discard(upload.timestamp)
        with pytest.raises(NotFoundError):
            uploads.saving(upload.timestamp, "g").__enter__()
        assert all_keys(store) == []


@pytest.fixture
def crashing(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AbstractContextManager[None]]:
    """Return a context that makes the process die in place of the given write."""

    @contextmanager
    def crash_at(step: int) -> Iterator[None]:
        left = step

        def dying(real: Callable[..., None]) -> Callable[..., None]:
            def write(*arguments: object) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise KeyboardInterrupt
                real(*arguments)

            return write

        with monkeypatch.context() as dangerous, suppress(KeyboardInterrupt):
            for name in ("put", "create", "replace", "delete"):
                dangerous.setattr(store, name, dying(getattr(store, name)))
            yield

    return crash_at


@pytest.mark.parametrize("step", range(1, 12))
def test_a_crash_at_any_step_of_an_upload_leaves_nothing_that_a_sweep_does_not_clear(
    store: ObjectStore,
    uploads: Uploads,
    later: Callable[[], None],
    crashing: Callable[[int], AbstractContextManager[None]],
    step: int,
) -> None:
    with crashing(step):
        upload = create(uploads)
        uploads.put_cutout(upload.timestamp, Cutout(b"cutout", "engine", {}, 0))
        uploads.discard(upload.timestamp)
    later()
    uploads.sweep()
    assert all_keys(store) == []


@pytest.mark.parametrize("step", range(1, 14))
def test_a_crash_at_any_step_of_a_save_leaves_an_entry_or_nothing(
    store: ObjectStore,
    uploads: Uploads,
    ledger: RecordLog,
    later: Callable[[], None],
    crashing: Callable[[int], AbstractContextManager[None]],
    step: int,
) -> None:
    upload = create(uploads)
    save(store, uploads, ledger, upload, "g1")
    before = all_keys(store)
    with crashing(step):
        save(store, uploads, ledger, upload, "g2")
    later()
    uploads.sweep()
    record = ledger.find("g2")
    if record is None:
        assert all_keys(store) == before
    else:
        made = {paths.static_key(path) for path in pictures_of(record)}
        assert set(all_keys(store)) == {*before, *made, paths.save_key(upload.timestamp, "g2")}


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b"{", b'{"timestamp": 1}'])
def test_a_damaged_upload_is_left_alone_and_does_not_stop_the_sweep(
    store: ObjectStore, uploads: Uploads, later: Callable[[], None], damaged: bytes
) -> None:
    broken, stale = create(uploads, "r1"), create(uploads, "r2")
    key = paths.upload_key(broken.timestamp)
    store.put(key, damaged, "application/json")
    later()
    assert uploads.sweep() == 1
    assert pictures(store, stale) == []
    assert (len(pictures(store, broken)), store.get(key).data) == (1, damaged)
    store.delete([key])
    assert uploads.sweep() == 1, "an operator gave it up"
    assert all_keys(store) == []


def test_fields_of_a_later_version_are_passed_over(store: ObjectStore, uploads: Uploads) -> None:
    upload = create(uploads)
    key = paths.upload_key(upload.timestamp)
    store.put(key, json.dumps({**json.loads(store.get(key).data), "of_tomorrow": 1}).encode(), "application/json")
    assert uploads.get(upload.timestamp) == upload


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [Picture("../x", JPEG, "JPEG")],
        [Picture("", JPEG, "JPEG")],
        [Picture("a", JPEG, "JPEG"), Picture("a", JPEG, "JPEG")],
        [Picture(str(number), JPEG, "JPEG") for number in range(41)],
    ],
)
def test_bad_pictures_are_rejected(store: ObjectStore, uploads: Uploads, ledger: RecordLog, bad: list[Picture]) -> None:
    upload = create(uploads)
    with pytest.raises(InvalidInputError):
        Generations(store, uploads, ledger).save(Generation("g", upload.timestamp, {}, bad))
    assert pictures(store, upload) == [f"static/{upload.photo_path}"]


@pytest.mark.parametrize(
    ("told", "given"),
    [
        (0, [Picture("background0", JPEG, "JPEG")]),
        (1, []),
        (1, [Picture("30x25", JPEG, "JPEG")]),
        (41, [Picture(f"background{number}", JPEG, "JPEG") for number in range(41)]),
    ],
    ids=["not told of", "missing", "named as an ad", "too many"],
)
def test_bad_backgrounds_are_rejected(
    store: ObjectStore, uploads: Uploads, ledger: RecordLog, told: int, given: list[Picture]
) -> None:
    upload = create(uploads)
    fields: Record = {"backgrounds": [{} for _ in range(told)]}
    with pytest.raises(InvalidInputError):
        Generations(store, uploads, ledger).save(
            Generation("g", upload.timestamp, fields, [Picture("30x25", JPEG, "JPEG")], given)
        )
    assert pictures(store, upload) == [f"static/{upload.photo_path}"]


def test_each_picture_of_a_record_is_named_where_it_belongs(
    store: ObjectStore, uploads: Uploads, ledger: RecordLog
) -> None:
    upload = create(uploads)
    fields: Record = {"backgrounds": [{"removal": {"objects": [2]}}, {"source_type": "x"}, {"removal": {}}]}
    pictures = {
        kind: [Picture(f"{kind}{number}", JPEG, "JPEG") for number in range(count)]
        for kind, count in (("ad", 2), ("background", 3), ("removal", 2))
    }
    record = Generations(store, uploads, ledger).save(Generation("g", upload.timestamp, fields, *pictures.values()))
    first, second, third = record["backgrounds"]
    assert [path.rpartition("_")[2] for path in record["generated_images"]] == ["ad0.jpg", "ad1.jpg"]
    assert [one["path"].rpartition("_")[2] for one in (first, second, third)] == [
        f"background{number}.jpg" for number in range(3)
    ]
    assert (first["removal"]["objects"], second["source_type"]) == ([2], "x")
    assert first["removal"]["path"].endswith("_removal0.jpg")
    assert third["removal"]["path"].endswith("_removal1.jpg")
    assert "removal" not in second


@pytest.mark.parametrize("given", [0, 2], ids=["missing", "not told of"])
def test_each_removal_needs_its_picture(store: ObjectStore, uploads: Uploads, ledger: RecordLog, given: int) -> None:
    upload = create(uploads)
    fields: Record = {"backgrounds": [{"removal": {}}]}
    removals = [Picture(f"removal{number}", JPEG, "JPEG") for number in range(given)]
    with pytest.raises(InvalidInputError, match="Each removal"):
        Generations(store, uploads, ledger).save(
            Generation(
                "g", upload.timestamp, fields, [Picture("ad", JPEG, "JPEG")], [Picture("b", JPEG, "JPEG")], removals
            )
        )
    assert pictures(store, upload) == [f"static/{upload.photo_path}"]


def test_the_sweep_takes_stale_uploads_only(
    store: ObjectStore, uploads: Uploads, ledger: RecordLog, later: Callable[[], None]
) -> None:
    stale, touched, finished = create(uploads, "r1"), create(uploads, "r2"), create(uploads, "r3")
    save(store, uploads, ledger, finished)
    later()
    uploads.get(touched.timestamp)
    young = create(uploads, "r4")
    assert uploads.sweep() == 1
    assert pictures(store, stale) == []
    for kept in (touched, finished, young):
        assert uploads.get(kept.timestamp) == kept
        assert store.get(paths.static_key(kept.photo_path))
    assert uploads.sweep() == 0


def test_the_sweep_keeps_an_upload_whose_mark_outlived_its_first_result(
    store: ObjectStore, uploads: Uploads, ledger: RecordLog, later: Callable[[], None]
) -> None:
    upload = create(uploads)
    save(store, uploads, ledger, upload)
    Leases(store, paths.PENDING).take(upload.timestamp, "r1")
    later()
    assert uploads.sweep() == 0
    assert uploads.get(upload.timestamp) == upload
    assert not Leases(store, paths.PENDING).names()


@pytest.mark.parametrize(
    ("client_name", "wanted"),
    [
        ("flask.png", "flask.png"),
        ("flask.jpeg", "flask.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\photos\\my flask.jpg", "my_flask.png"),
        ("保溫瓶.png", "photo.png"),
        ("", "photo.png"),
        (".png", "png.png"),
        ("...", "photo.png"),
        ("a b&c?d#e%2f.png", "a_b_c_d_e_2f.png"),
        ("x" * 500 + ".png", "x" * 60 + ".png"),
        ("nul\0byte\n.png", "nul_byte.png"),
    ],
)
def test_names_become_harmless(client_name: str, wanted: str) -> None:
    assert paths.photo_name(client_name, "PNG") == wanted


@pytest.mark.parametrize(
    "path",
    [
        "history_setting.json",
        "../uploads/x.json",
        "20260101000000-0123456789abcdef/upload/../../x",
        "20260101000000-0123456789abcdef/upload/.hidden",
        "20260101000000-0123456789abcdef/other/x.png",
        "20260101000000-0123456789abcdef/upload/a/b.png",
        "20260101000000-0123456789abcdef/upload/",
        "/etc/passwd",
        "",
    ],
)
def test_only_pictures_are_served(path: str) -> None:
    with pytest.raises(NotFoundError):
        paths.static_key(path)


def test_pictures_of_the_original_backend_are_served() -> None:
    assert paths.static_key("20240101120000/generated/0 圖.png") == "static/20240101120000/generated/0 圖.png"
    assert paths.content_type("static/20240101120000/upload/a.JPG") == "image/jpeg"


def test_two_recuts_at_one_time_end_as_one_of_them(store: ObjectStore, uploads: Uploads) -> None:
    timestamp = create(uploads).timestamp
    start = threading.Barrier(4)

    def recut(number: int) -> None:
        start.wait()
        for turn in range(3):
            name = f"{number}-{turn}"
            uploads.put_cutout(timestamp, Cutout(name.encode(), name, {"name": name}, number + 1))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(recut, range(4)))
    found = uploads.get(timestamp)
    name = found.cutout_engine
    assert uploads.read_cutout(found) == name.encode()
    assert (found.cutout_stage, found.product_aspect_ratio) == ({"name": name}, int(name[0]) + 1)
    assert found.cutout_sha256 == hashlib.sha256(name.encode()).hexdigest()
    uploads.put_cutout(timestamp, Cutout(b"last", "last", {}))
    kept = [key for key in pictures(store, found) if key.endswith("_transparent.png")]
    assert set(kept) == {f"static/{path}" for path in uploads.get(timestamp).cutout_paths}
    assert len(uploads.get(timestamp).earlier) == 12, "none of those who lost the race is forgotten"
    assert store.get(f"static/{found.photo_path}").data == b"photo"


def test_a_cutout_that_another_has_just_put_is_not_removed(store: ObjectStore, uploads: Uploads) -> None:
    upload = create(uploads)
    uploads.put_cutout(upload.timestamp, Cutout(b"one", "one", {}))
    replace = store.replace

    def followed(key: str, data: bytes, media_type: str, etag: str) -> None:
        replace(key, data, media_type, etag)
        if key == paths.upload_key(upload.timestamp):
            store.replace = replace  # type: ignore[method-assign]
            uploads.put_cutout(upload.timestamp, Cutout(b"next", "next", {}))

    store.replace = followed  # type: ignore[assignment,method-assign]
    uploads.put_cutout(upload.timestamp, Cutout(b"two", "two", {}))
    assert uploads.read_cutout(uploads.get(upload.timestamp)) == b"next"


def test_cutouts_are_undone_and_redone(store: ObjectStore, uploads: Uploads) -> None:
    present = create(uploads)

    def put(name: bytes) -> Upload:
        return uploads.put_cutout(present.timestamp, Cutout(name, name.decode(), {"name": name.decode()}, len(name)))

    def revert(of: Upload, *, to_later: bool = False) -> Upload:
        return uploads.revert_cutout(of.timestamp, of.cutout_path, to_later=to_later)

    with pytest.raises(PreconditionError, match="no cutout to return to"):
        revert(present)
    for name in (b"one", b"three", b"fifteen"):
        present = put(name)
    back = revert(present)
    assert uploads.read_cutout(back) == b"three"
    assert (back.cutout_engine, back.cutout_stage, back.product_aspect_ratio) == ("three", {"name": "three"}, 5)
    assert revert(present) == back, "asked twice, it is undone once"
    first = revert(back)
    assert uploads.read_cutout(first) == b"one"
    with pytest.raises(PreconditionError):
        revert(first)
    again = revert(revert(first, to_later=True), to_later=True)
    assert uploads.read_cutout(again) == b"fifteen"
    with pytest.raises(PreconditionError):
        revert(again, to_later=True)
    changed = put(b"nineteen")
    other = put(b"last") if revert(changed) else changed
    assert (len(other.earlier), other.later) == (3, ()), "what was undone before a change is forgotten"
    assert put(b"last") == other, "the same once more is no change"
    kept = [key for key in pictures(store, other) if key.endswith("_transparent.png")]
    assert {f"static/{path}" for path in other.cutout_paths} <= set(kept)


def test_only_so_many_cutouts_are_kept(store: ObjectStore, uploads: Uploads) -> None:
    upload = create(uploads)
    for number in range(KEPT_CUTOUTS + 5):
        upload = uploads.put_cutout(upload.timestamp, Cutout(bytes([number]), "sam", {}))
    kept = [key for key in pictures(store, upload) if key.endswith("_transparent.png")]
    assert len(kept) == KEPT_CUTOUTS + 1
    for _ in range(KEPT_CUTOUTS):
        upload = uploads.revert_cutout(upload.timestamp, upload.cutout_path, to_later=False)
        assert uploads.read_cutout(upload)
    assert uploads.read_cutout(upload) == bytes([4])


def test_a_photo_named_like_a_cutout_stays(store: ObjectStore, uploads: Uploads) -> None:
    upload = create(uploads, name="flask_transparent.png")
    for number in range(3):
        uploads.put_cutout(upload.timestamp, Cutout(bytes([number]), "sam", {}))
    assert store.get(f"static/{upload.photo_path}").data == b"photo"


def test_a_cutout_of_an_earlier_version_is_found(store: ObjectStore, uploads: Uploads) -> None:
    upload = create(uploads)
    stored = {**json.loads(store.get(paths.upload_key(upload.timestamp)).data), "cutout_engine": "sam"}
    del stored["cutout_sha256"]
    store.put(paths.upload_key(upload.timestamp), json.dumps(stored).encode(), "application/json")
    store.put(f"static/{upload.timestamp}/upload/flask_transparent.png", b"old", "image/png")
    found = uploads.get(upload.timestamp)
    assert found.cutout_path.endswith("/upload/flask_transparent.png")
    assert uploads.read_cutout(found) == b"old"

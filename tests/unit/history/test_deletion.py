import json
import threading
import uuid
from datetime import UTC, datetime

import pytest

from common.errors import ContentionError, InvalidInputError, NotFoundError
from services.history import paths
from services.history.deletion import Deletion
from services.history.generations import Generation, Generations, Picture
from services.history.leases import Leases
from services.history.records.codec import Record
from services.history.records.log import RecordLog
from services.history.records.queries import RecordQueries, RecordQuery
from services.history.storage.base import ObjectStore
from services.history.uploads import Cutout, Upload, Uploads

SECRET = "Grandmother's flask"
JPEG = b"\xff\xd8\xff and so on"


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("log", "queries"):
        monkeypatch.setattr(f"services.history.records.{module}.SEGMENT", 4)


class Shop:
    """A store in use."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.log = RecordLog(store, attempts=40)
        self.uploads = Uploads(store, self.log, 3600)
        self.deletion = Deletion(store, self.uploads, self.log)

    def upload(self, request_id: str) -> Upload:
        made = self.uploads.create(request_id, "flask.png", b"photo", "PNG")
        return self.uploads.put_cutout(made.timestamp, Cutout(b"cutout", "sam", {"name": "cut_out"}))

    def save(self, upload: Upload, request_id: str) -> Record:
        pictures = [Picture("300x250", JPEG, "JPEG")]
        fields = {"product_name": SECRET, "request_id": request_id, "backgrounds": [{"removal": {}}]}
        backgrounds, removals = [Picture("background0", JPEG, "JPEG")], [Picture("removal0", JPEG, "JPEG")]
        return Generations(self.store, self.uploads, self.log).save(
            Generation(request_id, upload.timestamp, fields, pictures, backgrounds, removals)
        )

    def fill(self, number: int) -> None:
        for _ in range(number):
            shown = {"write_date": "20261125093000", "product_name": "other", "generated_images": []}
            self.log.append({**shown, "request_id": uuid.uuid4().hex})

    def sequences(self) -> list[int]:
        """Return the numbers listed, which every way of listing must agree on."""
        queries = RecordQueries(self.log)
        ascending = [one["sequence"] for one in queries.list_records(RecordQuery(page_size=100)).records]
        descending = [
            one["sequence"] for one in queries.list_records(RecordQuery(descending=True, page_size=100)).records
        ]
        streamed = [one["sequence"] for one in json.loads(b"".join(queries.snapshot().chunks))]
        assert ascending == streamed == descending[::-1]
        return ascending

    def mentions(self, text: str) -> list[str]:
        return [found.key for found in self.store.list("") if text.encode() in self.store.get(found.key).data]


@pytest.fixture
def shop(store: ObjectStore) -> Shop:
    return Shop(store)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 3), (2, 12), (6, 0), (7, 1)])
def test_a_deleted_record_leaves_a_number_and_nothing_else(shop: Shop, before: int, after: int) -> None:
    shop.fill(before)
    record = shop.save(shop.upload("u"), "g")
    shop.fill(after)
    etag = RecordQueries(shop.log).snapshot().etag
    shop.deletion.delete_record(record["sequence"])
    assert shop.sequences() == [number for number in range(before + after + 1) if number != before]
    assert RecordQueries(shop.log).snapshot().etag != etag
    assert shop.mentions(SECRET) == []
    assert not [key for key in (f"static/{path}" for path in record["generated_images"]) if shop.mentions(key)]
    assert not [found for found in shop.store.list("static/") if "/generated/" in found.key]
    shop.deletion.delete_record(record["sequence"])
    shop.fill(9)
    assert before not in shop.sequences()


def test_what_was_never_there_is_told(shop: Shop) -> None:
    shop.fill(2)
    with pytest.raises(NotFoundError):
        shop.deletion.delete_record(2)
    with pytest.raises(NotFoundError):
        shop.deletion.delete_upload(paths.new_timestamp(datetime.now(UTC)))
    with pytest.raises(InvalidInputError):
        shop.deletion.delete_upload("../x")


def test_an_upload_goes_with_all_that_was_made_from_it(shop: Shop) -> None:
    kept, gone = shop.upload("kept"), shop.upload("gone")
    shop.save(gone, "g1")
    shop.save(kept, "g2")
    shop.fill(8)
    shop.save(gone, "g3")
    shop.deletion.delete_upload(gone.timestamp)
    assert shop.mentions(gone.timestamp) == []
    assert [found.key for found in shop.store.list("") if gone.timestamp in found.key] == []
    assert shop.sequences() == [*range(1, 10)]
    assert shop.uploads.get(kept.timestamp) == kept
    with pytest.raises(NotFoundError):
        shop.uploads.get(gone.timestamp)
    with pytest.raises(NotFoundError):
        shop.save(gone, "g4")


def test_an_upload_that_is_being_used_stays(shop: Shop) -> None:
    upload = shop.upload("u")
    pending = Leases(shop.store, paths.PENDING)
    for has_lease in (True, False):
        with shop.uploads.saving(upload.timestamp, "g"):
            with pytest.raises(ContentionError) as caught:
                shop.deletion.delete_upload(upload.timestamp)
            assert caught.value.reason == "BEING_SAVED"
            assert bool(pending.names()) is has_lease, "one without a result is still swept one day"
        shop.save(upload, "g")
        assert len(shop.sequences()) == 1


def test_what_broke_off_is_finished_by_the_next_attempt(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = shop.upload("u")
    for name in ("g1", "g2"):
        shop.save(upload, name)
    delete, left = shop.store.delete, [2]

    def breaks_off(keys: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionError
        delete(keys)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "delete", breaks_off)
        with pytest.raises(ConnectionError):
            shop.deletion.delete_upload(upload.timestamp)
    shop.deletion.delete_upload(upload.timestamp)
    assert shop.mentions(SECRET) == []
    assert shop.sequences() == []


def test_a_crash_leaves_no_copy_in_a_segment_that_is_not_counted_yet(shop: Shop, store: ObjectStore) -> None:
    record = shop.save(shop.upload("u"), "g")
    shop.fill(7)
    lines = shop.log.read_head().lines
    store.put(paths.segment(0), b"[\n" + b",\n".join(lines[:4]) + b"\n]\n", paths.JSON)
    shop.deletion.delete_record(record["sequence"])
    assert shop.mentions(SECRET) == []
    shop.fill(4)
    assert shop.sequences() == [*range(1, 12)]


def test_a_writer_with_an_older_head_brings_nothing_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has read the head, then others fill the log and delete a record before it goes on."""
    record = shop.save(shop.upload("u"), "g")
    shop.fill(7)
    slow, create, others_were_here = RecordLog(shop.store, attempts=40), shop.store.create, False

    def overtaken(key: str, data: bytes, content_type: str) -> None:
        nonlocal others_were_here
        if key == paths.segment(0) and not others_were_here:
            others_were_here = True
            shop.fill(9)
            shop.deletion.delete_record(record["sequence"])
        create(key, data, content_type)

    monkeypatch.setattr(shop.store, "create", overtaken)
    shown = {"write_date": "20261125093000", "product_name": "slow", "generated_images": []}
    slow.append({**shown, "request_id": "slow"})
    assert others_were_here
    assert shop.mentions(SECRET) == []
    assert 0 not in shop.sequences()


def test_deleting_beside_writers_loses_nothing_else(shop: Shop) -> None:
    upload = shop.upload("u")
    doomed = [shop.save(upload, f"g{number}")["sequence"] for number in range(6)]
    threads = [threading.Thread(target=shop.deletion.delete_record, args=(number,)) for number in doomed]
    threads += [threading.Thread(target=Shop(shop.store).fill, args=(5,)) for _ in range(1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.sequences() == [*range(6, 11)]
    assert shop.mentions(SECRET) == []

import errno
import os
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from common.errors import StartError, UnavailableError
from services.history.settings import HistorySettings
from services.history.storage.base import ConflictError, ObjectNotFoundError, ObjectStore
from services.history.storage.disk import DiskStore
from services.history.storage.s3 import S3Store
from tests.faults.s3_proxy import S3Proxy

TEXT = "text/plain"


def keys(store: ObjectStore, prefix: str) -> list[str]:
    return [listed.key for listed in store.list(prefix)]


def test_what_is_put_can_be_read(store: ObjectStore) -> None:
    store.put("a/b.txt", b"one", TEXT)
    first = store.get("a/b.txt")
    assert first.data == b"one"
    store.put("a/b.txt", b"two", TEXT)
    second = store.get("a/b.txt")
    assert second.data == b"two"
    assert second.etag != first.etag


def test_a_large_object_comes_in_pieces(store: ObjectStore) -> None:
    data = os.urandom(2_500_000)
    store.put("large", data, TEXT)
    with store.open("large") as found:
        chunks = list(found.chunks)
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= 1 << 20
    assert found.size == len(data)
    assert found.etag == store.get("large").etag


def test_what_is_not_there_is_an_error(store: ObjectStore) -> None:
    store.put("folder/file", b"x", TEXT)
    for key in ("nothing", "folder", "folder/file/deeper", "folder/other"):
        with pytest.raises(ObjectNotFoundError):
            store.get(key)
    with pytest.raises(ObjectNotFoundError), store.open("nothing"):
        pass


def test_a_signed_address_works_without_us_and_for_nothing_else(store: ObjectStore) -> None:
    store.put("static/ad.png", b"ad", "image/png")
    with pytest.raises(ObjectNotFoundError):
        store.sign("static/nothing.png", 60)
    address = store.sign("static/ad.png", 60)
    if isinstance(store, DiskStore):
        assert address is None
        return
    assert address is not None
    answer = httpx.get(address, trust_env=False)
    assert answer.content == b"ad"
    assert answer.headers["content-type"] == "image/png"
    assert "X-Amz-Expires=60" in address


def test_addresses_are_at_the_buckets_region() -> None:
    settings = HistorySettings(aws_access_key_id="key", aws_secret_access_key="secret", s3_region="us-east-1")
    client = S3Store.client(settings)
    address = client.generate_presigned_url("get_object", Params={"Bucket": "ads", "Key": "a"})
    assert address.startswith("https://ads.s3.us-east-1.amazonaws.com/a?X-Amz-Algorithm=AWS4-HMAC-SHA256")


def test_create_refuses_what_is_there(store: ObjectStore) -> None:
    store.create("claim", b"mine", TEXT)
    with pytest.raises(ConflictError):
        store.create("claim", b"yours", TEXT)
    assert store.get("claim").data == b"mine"


def test_replace_needs_the_present_state(store: ObjectStore) -> None:
    with pytest.raises(ConflictError):
        store.replace("list", b"new", TEXT, "0" * 32)
    store.create("list", b"one", TEXT)
    seen = store.get("list")
    store.replace("list", b"two", TEXT, seen.etag)
    with pytest.raises(ConflictError):
        store.replace("list", b"three", TEXT, seen.etag)
    assert store.get("list").data == b"two"


def test_one_of_many_creators_wins(store: ObjectStore) -> None:
    start = threading.Barrier(8)

    def create(number: int) -> bool:
        start.wait()
        try:
            store.create("claim", str(number).encode(), TEXT)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert store.get("claim").data == str(won.index(True)).encode()


def test_listing_and_deleting(store: ObjectStore) -> None:
    for key in ("p/2", "p/1", "p/1/x" if isinstance(store, S3Store) else "p/3", "q/1", "p2/1"):
        store.put(key, b"x", TEXT)
    listed = keys(store, "p/")
    assert listed == sorted(listed)
    assert len(listed) == 3
    assert keys(store, "nothing/") == []
    assert all(-5 < found.age_seconds < 60 for found in store.list("p/"))
    store.delete(["p/1", "p/2", "p/never-there"])
    assert len(keys(store, "p/")) == 1
    assert keys(store, "q/") == ["q/1"]


def test_deleting_many(store: ObjectStore) -> None:
    for number in range(30):
        store.put(f"many/{number}", b"x", TEXT)
    store.delete(f"many/{number}" for number in range(30))
    assert keys(store, "many/") == []


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../outside", "x" * 256, ""])
def test_the_disk_store_never_leaves_its_folder(tmp_path: Path, key: str) -> None:
    store = DiskStore.connect(tmp_path / "store")
    (tmp_path / "outside").write_text("secret")
    with pytest.raises(ObjectNotFoundError):
        store.get(key)
    with pytest.raises(ObjectNotFoundError):
        store.put(key, b"x", TEXT)
    assert (tmp_path / "outside").read_text() == "secret"


def test_a_scratch_file_that_another_process_takes_away_stops_no_start(tmp_path: Path) -> None:
    (tmp_path / ".scratch").mkdir()
    # A dangling link is listed but cannot be stat-ed, like a write that finishes between the two.
    (tmp_path / ".scratch" / "gone").symlink_to(tmp_path / "nowhere")
    DiskStore.connect(tmp_path).put("key", b"x", TEXT)


def test_processes_on_one_folder_do_not_lose_each_others_writes(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from typing import Any
from services.history.storage.disk import DiskStore
from services.history.storage.base import ConflictError
store = DiskStore.connect(Path(sys.argv[1]))
done = 0
while done < 25:
    seen = store.get("counter")
    try:
        store.replace("counter", str(int(seen.data) + 1).encode(), "text/plain", seen.etag)
    except ConflictError:
        continue
    done += 1
"""
    store = DiskStore.connect(tmp_path)
    store.create("counter", b"0", TEXT)
    workers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(3)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert store.get("counter").data == b"75"


def test_a_reader_never_sees_half_a_write(tmp_path: Path) -> None:
    store = DiskStore.connect(tmp_path)
    store.put("file", b"a" * 100_000, TEXT)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for letter in (b"a", b"b"):
                store.put("file", letter * 100_000, TEXT)

    writer = threading.Thread(target=write)
    writer.start()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        assert len(set(store.get("file").data)) == 1
    stop.set()
    writer.join()


def test_what_a_crash_left_is_cleared(tmp_path: Path) -> None:
    DiskStore.connect(tmp_path)
    old, young = tmp_path / ".scratch" / "old", tmp_path / ".scratch" / "young"
    old.write_text("half")
    young.write_text("half")
    os.utime(old, (1, 1))
    DiskStore.connect(tmp_path)
    assert not old.exists()
    assert young.exists()


def test_a_bucket_that_cannot_be_used_is_named(s3_settings: HistorySettings) -> None:
    missing = s3_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    with pytest.raises(StartError, match="no-such-bucket"):
        S3Store.connect(missing)


def test_a_storage_that_does_not_answer_is_told(s3_settings: HistorySettings) -> None:
    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    store = S3Store(client, s3_settings.s3_bucket_name)
    for call in (
        lambda: store.get("a"),
        lambda: store.put("a", b"", TEXT),
        lambda: store.create("a", b"", TEXT),
        lambda: store.delete(["a"]),
        lambda: list(store.list("a")),
    ):
        with pytest.raises(UnavailableError, match="does not answer"):
            call()


def test_the_secret_key_is_not_shown(s3_settings: HistorySettings) -> None:
    assert "secret" not in repr(s3_settings).replace("aws_secret_access_key", "")


def test_an_object_that_breaks_off_is_an_error_that_can_be_tried_again(
    s3_settings: HistorySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    S3Store.connect(s3_settings).put("key", b"whole" * 1000, TEXT)
    with S3Proxy(s3_settings.s3_endpoint_url or "", seed=1).serving() as proxy:
        settings = s3_settings.model_copy(update={"s3_endpoint_url": proxy.url})
        store = S3Store.connect(settings)
        monkeypatch.setattr(proxy, "fault", lambda *, conditional: "" if conditional else "truncated")
        with pytest.raises(UnavailableError, match="does not answer"):
            store.get("key")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    store = DiskStore.connect(tmp_path)
    store.put("key", b"old", TEXT)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(UnavailableError, match="full") as caught:
            store.put("key", b"new" * 100, TEXT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.reason == "STORAGE_FULL"
    assert store.get("key").data == b"old"
    assert not list((tmp_path / ".scratch").iterdir())


@pytest.mark.parametrize("refusal", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_disk_that_takes_nothing_is_told_and_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    store = DiskStore.connect(tmp_path)
    store.put("key", b"old", TEXT)
    really_open, writing = os.open, os.O_WRONLY | os.O_RDWR

    def refuse_writing(path: str, flags: int, *more: Any, **named: Any) -> int:
        if flags & writing:
            raise OSError(refusal, os.strerror(refusal))
        return really_open(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse_writing)
    with pytest.raises(UnavailableError, match=os.strerror(refusal)):
        store.put("key", b"new", TEXT)
    assert store.get("key").data == b"old"
    with pytest.raises(StartError, match="HISTORY_DISK_DIR"):
        DiskStore.connect(tmp_path / "key")  # a file stands there

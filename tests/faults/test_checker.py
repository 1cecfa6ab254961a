"""The checker detects each kind of violation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.history import paths
from services.history.generations import Generation, Generations, Picture
from services.history.records.log import RecordLog
from services.history.storage.disk import DiskStore
from services.history.uploads import Uploads
from testing.pictures import encoded, gradient
from tests.faults.checker import violations
from tests.faults.clients import PHOTO, Operation

AD = encoded(gradient(30, 25), "JPEG")
STALE = 10.0


class Scene:
    """A correct upload, generation, list and picture of one client."""

    def __init__(self, folder: Path) -> None:
        self.store = DiskStore.connect(folder)
        ledger = RecordLog(self.store, 5)
        self.uploads = Uploads(self.store, ledger, STALE)
        upload = self.uploads.create("key-1", "a.png", PHOTO, "PNG")
        asked = Operation(0, "generate", "k", upload.timestamp, 2, 3, ["200"], {"generated_images": []})
        generation = Generation(asked.request_id, upload.timestamp, {}, [Picture("30x25", AD, "JPEG")])
        record = Generations(self.store, self.uploads, ledger).save(generation)
        self.records: list[dict[str, Any]] = [record]
        self.ad = record["generated_images"][0]
        self.operations = [
            Operation(0, "upload", "u", "", 0, 1, ["200"], {"timestamp": upload.timestamp}),
            asked,
            Operation(0, "list", "", "", 4, 5, ["200"], [record]),
            Operation(0, "picture", "", self.ad, 6, 7, ["200"], AD),
        ]

    def change(self, number: int, **fields: Any) -> None:
        self.operations[number] = replace(self.operations[number], **fields)

    def delete(self, status: str, *, gone: bool = False) -> None:
        if gone:
            self.records.clear()
        asked = self.operations[1].request_id
        self.operations.insert(2, Operation(0, "delete", "", asked, 3, 3.5, [status], None))

    def drop(self, status: str, *, gone: bool) -> None:
        asked = self.operations[1].about
        if gone:
            self.records.clear()
            self.uploads.delete(asked, lambda _: None)
        self.operations.insert(2, Operation(0, "drop", "", asked, 3, 3.5, [status], None))

    def violations(self) -> list[str]:
        return violations(self.operations, self.records, self.store, STALE)


def test_a_good_run_has_no_violations(tmp_path: Path) -> None:
    assert Scene(tmp_path).violations() == []


BREAKS: dict[str, tuple[Callable[[Scene], object], str]] = {
    "lost": (lambda run: run.records.clear(), "is there 0 times"),
    "doubled": (lambda run: run.records.append(run.records[0]), "is there 2 times"),
    "misnumbered": (lambda run: run.records[0].update(sequence=7), "not numbered"),
    "reordered": (lambda run: run.change(2, answer=[{"request_id": "other"}]), "not how the final one begins"),
    "listed late": (lambda run: run.change(2, answer=[]), "lacks 1 entries"),
    "picture gone": (lambda run: run.store.delete([paths.static_key(run.ad)]), "ObjectNotFoundError"),
    "picture halved": (lambda run: run.store.put(paths.static_key(run.ad), AD[:300], ""), "OSError"),
    "picture of another size": (
        lambda run: run.store.put(paths.static_key(run.ad), encoded(gradient(9, 9), "JPEG"), ""),
        r"is \(9, 9\)",
    ),
    "half an answer": (lambda run: run.change(3, answer=AD[:300]), "half a picture"),
    "not found": (lambda run: run.change(3, tries=["404"]), "was not found"),
    "internal error": (lambda run: run.change(1, tries=["500", "200"]), "answered with 500"),
    "deleted in vain": (lambda run: run.delete("200"), "is still there"),
    "gone without being asked": (lambda run: run.records[0].update(sequence=2), "not numbered"),
    "listed after it was deleted": (lambda run: run.delete("204", gone=True), "which was deleted before"),
    "upload deleted in vain": (lambda run: run.drop("204", gone=False), "is left of an upload without entries"),
    "listed after its upload was deleted": (lambda run: run.drop("404", gone=True), "which was deleted before"),
    "background left": (
        lambda run: run.store.put(paths.static_key(run.ad).replace("30x25", "background0"), AD, ""),
        "left of a generation without an entry",
    ),
    "swept alive": (lambda run: run.change(1, tries=["404"]), "live upload"),
    "upload left": (lambda run: run.uploads.create("key-2", "b.png", PHOTO, "PNG"), "left of an upload"),
    "mark left": (lambda run: run.store.put("saving/x", b"", ""), "saving/x is left"),
    "ad left": (
        lambda run: run.store.put(paths.static_key(run.ad).replace("30x25", "1x1"), AD, ""),
        "left of a generation without an entry",
    ),
    "request left": (lambda run: run.store.put("requests/x.json", b"", ""), "2 requests are kept for 1 uploads"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_every_fault_is_seen(tmp_path: Path, name: str) -> None:
    run = Scene(tmp_path)
    damage, wanted = BREAKS[name]
    damage(run)
    with pytest.raises(AssertionError, match=wanted):
        raise AssertionError("\n".join(run.violations()))

"""What the history reports about its storage, before anything is lost."""

from pathlib import Path

import pytest

from common.serving.readiness import Problem
from services.history.history import History
from services.history.settings import HistorySettings
from services.history.storage.disk import DiskStore


def history(folder: Path, least: int) -> History:
    return History(DiskStore.connect(folder), HistorySettings(disk_dir=folder, min_free_bytes=least))


def test_too_little_room_is_a_problem_with_its_cure(tmp_path: Path) -> None:
    assert history(tmp_path, 1).problems() == []
    [problem] = history(tmp_path, 1 << 60).problems()
    assert problem.subject == "storage"
    assert problem.detail.endswith("MB left")
    assert problem.remedy == "free some space"


def test_a_disk_that_does_not_answer_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_folder: Path) -> int:
        raise OSError(5, "Input/output error")

    found = history(tmp_path, 1)
    monkeypatch.setattr("shutil.disk_usage", fail)
    assert found.problems() == [
        Problem("storage", "The storage refused the call: Input/output error.", "see the log of the history service")
    ]
    assert found.room() is None

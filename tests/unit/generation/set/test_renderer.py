import json
import os
import sys
from pathlib import Path

import pytest

from services.generation.engines.set import renderer
from services.generation.engines.set.renderer import FAST, LIBRARY, PLAIN, Renderer, candidates, prepare


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (LIBRARY, renderer.CACHE):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.delenv(LIBRARY)


def test_the_named_library_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(LIBRARY, str(tmp_path / "libLLVM.so.99"))
    assert next(iter(candidates())) == tmp_path / "libLLVM.so.99"


def test_old_libraries_are_not_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    for name in ("libLLVM.so.15.0", "libLLVM.so.19.1"):
        (tmp_path / "lib" / name).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(renderer, "FOLDERS", ())
    assert [file.name for file in candidates()] == ["libLLVM.so.19.1"]


def test_a_library_that_ends_the_process_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "libLLVM.so.19"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(renderer, "candidates", lambda: iter([broken]))
    assert prepare(tmp_path / "cache") == Renderer(PLAIN)


def test_a_trial_that_hangs_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(renderer, "SECONDS", 0.01)
    monkeypatch.setattr(renderer, "candidates", lambda: iter([tmp_path / "libLLVM.so.19"]))
    assert not prepare(tmp_path / "cache").is_fast


def test_what_worked_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried: list[Path] = []
    library = tmp_path / "libLLVM.so.19"
    library.touch()
    monkeypatch.setattr(renderer, "candidates", lambda: iter([library]))

    def works(file: Path) -> bool:
        tried.append(file)
        return True

    monkeypatch.setattr(renderer, "_works", works)
    assert prepare(tmp_path / "cache") == prepare(tmp_path / "cache") == Renderer(FAST, str(library))
    assert tried == [library]
    os.utime(library, (1, 1))
    prepare(tmp_path / "cache")
    assert tried == [library, library], "another library in its place is tried"


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"variant": FAST, "library": "/nowhere"})])
def test_a_damaged_note_is_ignored(content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "renderer.json").write_text(content)
    monkeypatch.setattr(renderer, "candidates", lambda: iter([]))
    assert prepare(tmp_path) == Renderer(PLAIN)


def test_a_folder_that_cannot_be_written_is_borne(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(renderer, "candidates", lambda: iter([]))
    assert prepare(tmp_path / "file" / "cache") == Renderer(PLAIN)

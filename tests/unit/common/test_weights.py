"""Weights files, held against the manifest beside them."""

import hashlib
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from common.models.weights import MANIFEST, check_weights
from weights.manifest import FOLDER, read_manifest
from weights.manifest import MANIFEST as WRITTEN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    known = hashlib.sha256(b"known").hexdigest()
    (tmp_path / MANIFEST).write_text(f'[net]\nfile = "net.onnx"\nsha256 = "{known}"\n')
    return tmp_path


def test_a_known_file_passes_silently(folder: Path) -> None:
    (folder / "net.onnx").write_bytes(b"known")
    with capture_logs() as logs:
        assert check_weights(folder / "net.onnx") == hashlib.sha256(b"known").hexdigest()
    assert logs == []


def test_a_known_file_passes_under_any_name(folder: Path) -> None:
    (folder / "other.onnx").write_bytes(b"known")
    with capture_logs() as logs:
        check_weights(folder / "other.onnx")
    assert logs == []


def test_a_damaged_file_is_refused_with_the_cure(folder: Path) -> None:
    (folder / "net.onnx").write_bytes(b"knowm")
    with pytest.raises(ValueError, match=r"net\.onnx is damaged.*python -m weights fetch"):
        check_weights(folder / "net.onnx")


def test_an_unknown_file_is_named_in_the_log(folder: Path) -> None:
    (folder / "mine.onnx").write_bytes(b"trained here")
    with capture_logs() as logs:
        check_weights(folder / "mine.onnx")
    assert [(entry["event"], entry["file"]) for entry in logs] == [("unknown weights", str(folder / "mine.onnx"))]


def test_without_a_manifest_every_file_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"known")
    with capture_logs() as logs:
        check_weights(tmp_path / "net.onnx")
    assert [entry["event"] for entry in logs] == ["unknown weights"]


def test_the_manifest_of_the_project_is_read() -> None:
    assert MANIFEST == WRITTEN
    for weight in read_manifest().values():
        path = weight.path(FOLDER)
        if path.is_file():
            assert check_weights(path) == weight.sha256

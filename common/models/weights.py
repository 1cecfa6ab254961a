"""Loading model weights: tensors only, the file checked against the manifest, every tensor accounted for."""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import structlog

log = structlog.get_logger()

MANIFEST = "manifest.toml"
"""List of known weights, beside the files: one table per file, with `file` and `sha256`."""


def check_weights(path: Path) -> str:
    """Compare a weights file with the manifest beside it, and log files that the manifest does not know.

    Returns:
        SHA-256 of the file, in hexadecimal.

    Raises:
        ValueError: The file is damaged: the manifest knows it by another hash. The text names the file and the cure.
    """
    sha256 = sha256_of(path)
    known = _known_hashes(path.parent / MANIFEST)
    if known.get(path.name, sha256) != sha256:
        raise ValueError(
            f"{path} is damaged, or other weights under a known name: remove it and fetch it again (python -m weights"
            " fetch), or rename it"
        )
    if sha256 not in known.values():
        log.warning("unknown weights", file=str(path), sha256=sha256)
    return sha256


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; it is read once as long as it does not change."""
    state = path.stat()
    return _digest(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _digest(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def first_file(folder: Path, *patterns: str) -> Path | None:
    """Return the first file of a folder, by name, that fits the first pattern that any fits."""
    return next((file for pattern in patterns for file in sorted(folder.glob(pattern))), None)


def _known_hashes(manifest: Path) -> Mapping[str, str]:
    if not manifest.is_file():
        return {}
    return {entry["file"]: entry["sha256"] for entry in tomllib.loads(manifest.read_text(encoding="utf-8")).values()}

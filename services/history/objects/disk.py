"""The disk store: files under one folder, named by their keys."""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.history.objects.store import ConflictError, Listed, ObjectNotFoundError, OpenObject, StoredObject
from services.runtime.errors import UnavailableError

CHUNK = 1 << 20
LOCKS = ".locks"
SCRATCH = ".scratch"
ABOUT_TO_LOCK_SECONDS = 10
LONGEST_NAME = 255
"""Bytes in a file's name: what the usual file systems take."""


class DiskStore:
    """Files under a folder. A write goes to a scratch file first and is then renamed, after both are safe on disk.

    Conditional writes of one key take a lock file, which the kernel frees when a process dies: several processes on
    one folder are safe.

    Args:
        folder: Made when it is missing.
    """

    name = "disk"

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        (self._folder / LOCKS).mkdir(parents=True, exist_ok=True)
        (self._folder / SCRATCH).mkdir(exist_ok=True)
        self._remove_old_scratch_files()

    def _remove_old_scratch_files(self) -> None:
        """Clear what a process left behind that died while writing; the others' are locked, or about to be."""
        for path in (self._folder / SCRATCH).iterdir():
            with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as scratch:
                fcntl.flock(scratch, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - path.stat().st_mtime > ABOUT_TO_LOCK_SECONDS:
                    path.unlink()

    def _path(self, key: str) -> Path:
        if any(len(part.encode()) > LONGEST_NAME for part in key.split("/")):
            raise ObjectNotFoundError(key)
        path = (self._folder / key).resolve()
        if not path.is_relative_to(self._folder) or not key or path == self._folder:
            raise ObjectNotFoundError(key)
        return path

    def get(self, key: str) -> StoredObject:
        """See ObjectStore."""
        try:
            data = self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectNotFoundError(key) from None
        return StoredObject(data, hashlib.sha256(data).hexdigest())

    @contextmanager
    def open(self, key: str) -> Iterator[OpenObject]:
        """See ObjectStore. An open file stays as it was even when it is replaced or removed."""
        try:
            stream = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectNotFoundError(key) from None
        with stream:
            etag = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            yield OpenObject(iter(lambda: stream.read(CHUNK), b""), etag, size)

    def sign(self, key: str, valid_seconds: int) -> None:  # noqa: ARG002
        """See ObjectStore. Files have no address."""
        if not self._path(key).is_file():
            raise ObjectNotFoundError(key)

    def put(self, key: str, data: bytes, content_type: str) -> None:  # noqa: ARG002
        """See ObjectStore. The content type follows from the key's ending; it is not stored."""
        path = self._path(key)
        try:
            self._write(path, data)
            _sync_folder(path.parent)
        except OSError as error:
            raise UnavailableError(f"The storage cannot be written to: {error.strerror}.") from error

    def _write(self, path: Path, data: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder / SCRATCH, delete=False) as scratch:
            try:
                fcntl.flock(scratch, fcntl.LOCK_EX)
                scratch.write(data)
                scratch.flush()
                os.fsync(scratch.fileno())
                self._rename(Path(scratch.name), path)
            except BaseException:
                Path(scratch.name).unlink(missing_ok=True)
                raise

    @staticmethod
    def _rename(scratch: Path, path: Path) -> None:
        """Put the file in place; its folder may be removed at the same time by a delete of its siblings."""
        for _ in range(100):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                scratch.replace(path)
            except FileNotFoundError:
                continue
            return
        raise FileNotFoundError(path)

    def create(self, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore."""
        with self._locked(key):
            if self._path(key).exists():
                raise ConflictError(key)
            self.put(key, data, content_type)

    def replace(self, key: str, data: bytes, content_type: str, etag: str) -> None:
        """See ObjectStore."""
        with self._locked(key):
            try:
                present = self.get(key)
            except ObjectNotFoundError:
                raise ConflictError(key) from None
            if present.etag != etag:
                raise ConflictError(key)
            self.put(key, data, content_type)

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        # A fixed number of lock files: they are never removed, so there must not be one per key.
        number = int(hashlib.sha256(key.encode()).hexdigest(), 16) % 64
        with (self._folder / LOCKS / f"{number:02}").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore. Folders left empty go too."""
        for key in keys:
            path = self._path(key)
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self._folder or not _remove_if_empty(folder):
                    break

    def list(self, prefix: str) -> Iterator[Listed]:
        """See ObjectStore."""
        base = prefix.rpartition("/")[0]
        root = self._path(base) if base else self._folder
        now = time.time()
        for folder, subfolders, files in os.walk(root):
            subfolders[:] = sorted(name for name in subfolders if name not in (LOCKS, SCRATCH))
            for file in sorted(files):
                path = Path(folder, file)
                key = path.relative_to(self._folder).as_posix()
                if key.startswith(prefix):
                    try:
                        yield Listed(key, now - path.stat().st_mtime)
                    except FileNotFoundError:
                        continue


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

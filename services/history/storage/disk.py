"""The disk store: files under one folder, named by key."""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from common.errors import UnavailableError
from services.history.storage.base import ConflictError, Listed, ObjectNotFoundError, OpenObject, StoredObject

CHUNK = 1 << 20
LOCKS = ".locks"
SCRATCH = ".scratch"
ABOUT_TO_LOCK_SECONDS = 10
MAX_NAME = 255
"""Maximum length of a file name on common file systems, in bytes."""


class DiskStore:
    """Files under a folder. A write is synced to a scratch file, renamed into place, and the rename is synced as well.

    Conditional writes hold a file lock, which the kernel releases when a process dies: several processes can share a
    folder.

    Args:
        folder: Root folder; created if missing.
    """

    name = "disk"

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        (self._folder / LOCKS).mkdir(parents=True, exist_ok=True)
        (self._folder / SCRATCH).mkdir(exist_ok=True)
        self._remove_old_scratch_files()

    def _remove_old_scratch_files(self) -> None:
        """Remove scratch files of processes that died while writing; those of live ones are locked, or about to be."""
        for path in (self._folder / SCRATCH).iterdir():
            with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as scratch:
                fcntl.flock(scratch, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - path.stat().st_mtime > ABOUT_TO_LOCK_SECONDS:
                    path.unlink()

    def _path(self, key: str) -> Path:
        if any(len(part.encode()) > MAX_NAME for part in key.split("/")):
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
        """See ObjectStore. An open file keeps its contents even if it is replaced or deleted."""
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
        """See ObjectStore. Files have no URL."""
        if not self._path(key).is_file():
            raise ObjectNotFoundError(key)

    def put(self, key: str, data: bytes, content_type: str) -> None:  # noqa: ARG002
        """See ObjectStore. The content type is not stored; it follows from the extension of the key."""
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
        """Rename a file into place, retrying if deleting its siblings removes the folder at the same moment."""
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
        # A fixed number of lock files rather than one per key, because they are never removed.
        number = int(hashlib.sha256(key.encode()).hexdigest(), 16) % 64
        with (self._folder / LOCKS / f"{number:02}").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore. Removes folders left empty as well."""
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
    """Make a rename survive a power failure."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The disk store: files under one folder, named by key."""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from common.errors import StartError, UnavailableError
from services.history.storage.base import (
    MAX_BYTES,
    ConflictError,
    Listed,
    ObjectNotFoundError,
    OpenObject,
    StoredObject,
    TooLargeError,
)

CHUNK = 1 << 18
LOCKS = ".locks"
SCRATCH = ".scratch"
CLOCK = ".clock"
MISSING = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
ABOUT_TO_LOCK_SECONDS = 10
MAX_NAME = 255
"""Maximum length of a file name on common file systems, in bytes."""


class DiskStore:
    """Files under a folder. A write is synced to a scratch file, renamed into place, and the rename is synced as well.

    Conditional writes hold a file lock, which the kernel releases when a process dies: several processes can share a
    folder.

    Args:
        folder: Root folder.
    """

    name = "disk"

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    @classmethod
    def connect(cls, folder: Path) -> "DiskStore":
        """Create the folder if it is missing, and remove what processes that died left in it.

        Raises:
            StartError: The folder cannot be used; the text says why.
        """
        store = cls(folder)
        try:
            (store._folder / LOCKS).mkdir(parents=True, exist_ok=True)
            (store._folder / SCRATCH).mkdir(exist_ok=True)
            store._remove_old_scratch_files()
        except OSError as error:
            raise StartError(f"folder {folder} (HISTORY_DISK_DIR) cannot be used: {error.strerror}") from None
        return store

    def _remove_old_scratch_files(self) -> None:
        """Remove scratch files of processes that died while writing; those of live ones are locked, or about to be."""
        now = self._now()
        for path in (self._folder / SCRATCH).iterdir():
            with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as scratch:
                fcntl.flock(scratch, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if now - path.stat().st_mtime > ABOUT_TO_LOCK_SECONDS:
                    path.unlink()

    def _now(self) -> float:
        """Return the time by the clock of the file system, which several machines may share."""
        clock = self._folder / CLOCK
        try:
            clock.touch()
            return clock.stat().st_mtime
        except OSError:  # nothing can be written: ages only have to be about right
            return time.time()

    def _path(self, key: str) -> Path:
        if any(len(part.encode()) > MAX_NAME for part in key.split("/")):
            raise ObjectNotFoundError(key)
        path = (self._folder / key).resolve()
        if not path.is_relative_to(self._folder) or not key or path == self._folder:
            raise ObjectNotFoundError(key)
        return path

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> StoredObject:
        """See ObjectStore."""
        now = self._now()
        with _translated(key), self._path(key).open("rb") as stream:
            found = os.fstat(stream.fileno())
            if found.st_size > max_bytes:
                raise TooLargeError(key)
            data = stream.read()
        return StoredObject(data, hashlib.sha256(data).hexdigest(), now - found.st_mtime)

    @contextmanager
    def open(self, key: str) -> Iterator[OpenObject]:
        """See ObjectStore. An open file keeps its contents even if it is replaced or deleted."""
        with _translated(key):
            stream = self._path(key).open("rb")
        with stream:
            with _translated(key):
                etag = hashlib.file_digest(stream, "sha256").hexdigest()
                size = stream.seek(0, os.SEEK_END)
                stream.seek(0)
            yield OpenObject(_chunks(stream, key), etag, size)

    def sign(self, key: str, valid_seconds: int) -> None:  # noqa: ARG002
        """See ObjectStore. Files have no URL."""
        with _translated(key):
            if not self._path(key).is_file():
                raise ObjectNotFoundError(key)

    def put(self, key: str, data: bytes, content_type: str) -> None:  # noqa: ARG002
        """See ObjectStore. The content type is not stored; it follows from the extension of the key."""
        path = self._path(key)
        with _translated():
            self._write(path, data)
            _sync_folders(path.parent, self._folder)

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
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def create(self, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore."""
        with self._locked(key):
            with _translated():
                exists = self._path(key).exists()
            if exists:
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
        with _translated():
            lock = (self._folder / LOCKS / f"{number:02}").open("wb")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore. Removes folders left empty as well."""
        for key in keys:
            path = self._path(key)
            with _translated():
                path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self._folder or not _remove_if_empty(folder):
                    break

    def list(self, prefix: str) -> Iterator[Listed]:
        """See ObjectStore."""
        base = prefix.rpartition("/")[0]
        root = self._path(base) if base else self._folder
        now = self._now()
        for folder, subfolders, files in os.walk(root):
            subfolders[:] = sorted(name for name in subfolders if name not in (LOCKS, SCRATCH))
            for file in sorted(files):
                path = Path(folder, file)
                key = path.relative_to(self._folder).as_posix()
                if key.startswith(prefix) and key != CLOCK:
                    try:
                        found = path.stat()
                    except FileNotFoundError:
                        continue
                    version = f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"
                    yield Listed(key, now - found.st_mtime, version)

    def free_bytes(self) -> int:
        """See ObjectStore."""
        with _translated():
            return shutil.disk_usage(self._folder).free


@contextmanager
def _translated(read: str | None = None) -> Iterator[None]:
    """Raise UnavailableError for whatever the system refuses.

    Args:
        read: Key that is being read, if one is: ObjectNotFoundError is raised if there is no such file.
    """
    try:
        yield
    except OSError as error:
        if read is not None and isinstance(error, MISSING):
            raise ObjectNotFoundError(read) from None
        if error.errno in FULL:
            raise UnavailableError("The storage is full.", "STORAGE_FULL") from error
        raise UnavailableError(f"The storage refused the call: {error.strerror}.") from error


def _chunks(stream: BinaryIO, key: str) -> Iterator[bytes]:
    with _translated(key):
        while chunk := stream.read(CHUNK):
            yield chunk


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _sync_folders(folder: Path, root: Path) -> None:
    """Make a rename survive a power failure, with the folders that were made for it."""
    for parent in (folder, *folder.parents):
        _sync_folder(parent)
        if parent == root:
            return


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

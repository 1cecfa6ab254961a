"""Mutual TLS with real certificates over real sockets."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import grpc
import httpx
import pytest
import trustme

from cli.ports import Ports
from common.errors import InvalidInputError, StartError
from common.serving.engines import EngineRegistry
from common.serving.executor import BoundedExecutor
from common.serving.server import Service, create_server
from common.settings import ServiceSettings
from productimage import InpaintingClient, Options, ProductImageError, Tls, connect, renewal
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1.inpainting_pb2 import (
    InpaintRequest,
    InpaintResponse,
    RemoveObjectsRequest,
    RemoveObjectsResponse,
)
from productimage.inpainting.v1.inpainting_pb2_grpc import (
    InpaintingServiceServicer,
    add_InpaintingServiceServicer_to_server,
)
from services.inpainting.__main__ import SERVICES
from testing.processes import ROOT, parts

Files = dict[str, Any]


class Refuses(InpaintingServiceServicer):
    """Refuses every call, and remembers the certificates of its callers."""

    seen: ClassVar[list[bytes]] = []

    async def Inpaint(self, request: InpaintRequest, context: Any) -> InpaintResponse:  # noqa: N802
        self.seen.extend(context.auth_context().get("x509_pem_cert", ()))
        await asyncio.sleep(len(request.picture.encoded) / 10)
        raise InvalidInputError(f"{len(request.picture.encoded)} bytes")

    async def RemoveObjects(  # noqa: N802
        self, _request: RemoveObjectsRequest, _context: object
    ) -> RemoveObjectsResponse:
        raise NotImplementedError


def service() -> Service:
    return Service(SERVICES, EngineRegistry(), register)


def register(server: grpc.aio.Server, _: BoundedExecutor) -> None:
    add_InpaintingServiceServicer_to_server(Refuses(), server)


def write_files(folder: Path, authority: trustme.CA) -> Files:
    """Write a certificate for this machine; return its files by setting."""
    folder.mkdir(exist_ok=True)
    files = {name: folder / f"{name}.pem" for name in ("tls_ca", "tls_certificate", "tls_key")}
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(files["tls_ca"])
    issued.cert_chain_pems[0].write_to_path(files["tls_certificate"])
    issued.private_key_pem.write_to_path(files["tls_key"])
    return files


@asynccontextmanager
async def listening(files: Files) -> AsyncIterator[int]:
    """Run a service; yield its port."""
    running = create_server(ServiceSettings(**files), service())
    await running.server.start()
    try:
        yield running.port
    finally:
        await running.server.stop(0)
        running.executor.close()


async def answer(port: int, files: Files | None) -> str:
    """Make a call; return the code of its error. INVALID_ARGUMENT comes from the service itself."""
    tls = Tls(*(files[name] for name in ("tls_ca", "tls_certificate", "tls_key"))) if files else None
    async with connect(f"127.0.0.1:{port}", Options(tls=tls, attempts=2)) as connection:
        with pytest.raises(ProductImageError) as caught:
            await InpaintingClient(connection).inpaint(image_pb2.Image(), image_pb2.Image())
    return caught.value.code.name


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


async def test_only_who_has_a_certificate_of_ours_gets_in(tmp_path: Path, authority: trustme.CA) -> None:
    ours, theirs = write_files(tmp_path / "ours", authority), write_files(tmp_path / "theirs", trustme.CA())
    async with listening(write_files(tmp_path / "server", authority)) as port:
        assert await answer(port, ours) == "INVALID_ARGUMENT"
        assert await answer(port, theirs) == "UNAVAILABLE", "another authority's"
        assert await answer(port, None) == "UNAVAILABLE", "in the clear"
        half = {**theirs, "tls_ca": ours["tls_ca"]}
        assert await answer(port, half) == "UNAVAILABLE", "trusts us, but is not trusted"


async def test_a_server_that_is_not_ours_is_not_spoken_to(tmp_path: Path, authority: trustme.CA) -> None:
    ours, theirs = write_files(tmp_path / "ours", authority), write_files(tmp_path / "theirs", trustme.CA())
    async with listening({**theirs, "tls_ca": ours["tls_ca"]}) as port:
        assert await answer(port, ours) == "UNAVAILABLE"


async def test_renewed_certificates_are_taken_without_a_restart(tmp_path: Path, authority: trustme.CA) -> None:
    renewed = trustme.CA()
    client = write_files(tmp_path / "client", renewed)
    async with listening(write_files(tmp_path / "server", authority)) as port:
        assert await answer(port, client) == "UNAVAILABLE"
        write_files(tmp_path / "server", renewed)
        assert await answer(port, client) == "INVALID_ARGUMENT"


async def test_a_callers_renewed_certificate_is_taken_under_load(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "CHECK_SECONDS", 0.05)
    Refuses.seen.clear()
    files = write_files(tmp_path / "client", authority)
    tls = Tls(files["tls_ca"], files["tls_certificate"], files["tls_key"])
    before = files["tls_certificate"].read_bytes()
    codes: list[str] = []

    async def call(client: InpaintingClient, size: int = 0) -> None:
        with pytest.raises(ProductImageError) as caught:
            await client.inpaint(image_pb2.Image(encoded=bytes(size)), image_pb2.Image())
        codes.append(caught.value.code.name)

    async with (
        listening(write_files(tmp_path / "server", authority)) as port,
        connect(f"127.0.0.1:{port}", Options(tls=tls)) as connection,
    ):
        client = InpaintingClient(connection)
        await call(client)
        slow = asyncio.create_task(call(client, 8))
        await asyncio.sleep(0.1)
        write_files(tmp_path / "client", authority)
        for _ in range(40):
            await call(client)
            await asyncio.sleep(0.01)
        await slow
    after = files["tls_certificate"].read_bytes()
    assert Refuses.seen[0].strip() == before.strip()
    assert Refuses.seen[-1].strip() == after.strip() != before.strip()
    assert set(codes) == {"INVALID_ARGUMENT"}, "no call was lost, not even the one under way"


@pytest.mark.parametrize(
    ("name", "content"), [("tls_key", "another"), ("tls_key", "half"), ("tls_key", None), ("tls_ca", None)]
)
async def test_files_that_do_not_fit_together_yet_change_nothing(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, name: str, content: str | None
) -> None:
    monkeypatch.setattr(renewal, "CHECK_SECONDS", 0)
    files, other = write_files(tmp_path / "client", authority), write_files(tmp_path / "other", authority)
    tls = Tls(files["tls_ca"], files["tls_certificate"], files["tls_key"])
    async with (
        listening(write_files(tmp_path / "server", authority)) as port,
        connect(f"127.0.0.1:{port}", Options(tls=tls)) as connection,
    ):
        if content is None:
            files[name].unlink()
        else:
            files[name].write_text(other[name].read_text() if content == "another" else content)
        with pytest.raises(ProductImageError) as caught:
            await InpaintingClient(connection).inpaint(image_pb2.Image(), image_pb2.Image())
    assert caught.value.code.name == "INVALID_ARGUMENT"


async def test_a_missing_file_is_one_clear_line(tmp_path: Path, authority: trustme.CA) -> None:
    files = {**write_files(tmp_path, authority), "tls_key": tmp_path / "none.pem"}
    with pytest.raises(StartError, match=r"none\.pem cannot be read"):
        create_server(ServiceSettings(**files), service())
    with pytest.raises(ValueError, match="needs all of TLS_CA, TLS_CERTIFICATE and TLS_KEY"):
        ServiceSettings(tls_ca=tmp_path)


def test_the_processes_speak_it_by_their_settings(tmp_path: Path, authority: trustme.CA) -> None:
    environment: dict[str, str] = {}
    for prefix in ("GATEWAY", "HISTORY", "FIXED"):
        files = write_files(tmp_path / prefix, authority)
        environment |= {f"{prefix}_{name.upper()}": str(path) for name, path in files.items()}
    port = Ports.free().gateway
    environment |= {"HISTORY_METRICS_PORT": str(port)}
    with parts(tmp_path / "store", environment) as running:
        assert httpx.get(f"{running.gateway.url}/api/history", trust_env=False).json() == []
        assert health(port) == 0, "probes need no certificate"


def test_a_container_can_ask_whether_its_service_is_well(tmp_path: Path) -> None:
    port = Ports.free().gateway
    with parts(tmp_path, {"HISTORY_METRICS_PORT": str(port)}) as running:
        assert health(port) == 0
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).text == "ok\n"
        assert "python_info" in httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        process = running.history.pid
        os.kill(process, signal.SIGSTOP)
        try:
            assert health(port) == 1, "one that hangs is not well"
        finally:
            os.kill(process, signal.SIGCONT)
        running.history.stop()
        assert health(port) == 1


def health(port: int) -> int:
    """Run the health check as a container does; return its exit status."""
    command = [sys.executable, "-m", "common.serving.healthcheck", "HISTORY_METRICS_PORT"]
    environment = {**os.environ, "HISTORY_METRICS_PORT": str(port)}
    return subprocess.run(command, env=environment, cwd=ROOT, check=False, timeout=60).returncode

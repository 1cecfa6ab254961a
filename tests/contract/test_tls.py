"""Mutual TLS with real certificates over real sockets."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import trustme

from productimage.inpainting.v1.inpainting_pb2 import InpaintRequest, InpaintResponse
from productimage.inpainting.v1.inpainting_pb2_grpc import (
    InpaintingServiceServicer,
    InpaintingServiceStub,
    add_InpaintingServiceServicer_to_server,
)
from services.inpainting.__main__ import SERVICE
from services.runtime.channel import open_channel
from services.runtime.errors import InvalidInputError
from services.runtime.executor import BoundedExecutor
from services.runtime.server import StartError, create_server
from services.runtime.settings import ChannelSettings, ServiceSettings
from tests.contract.serving import refused
from tests.processes import ROOT, Parts, parts

Files = dict[str, Any]


class Refuses(InpaintingServiceServicer):
    async def Inpaint(self, request: InpaintRequest, _context: Any) -> InpaintResponse:  # noqa: N802
        raise InvalidInputError(f"{len(request.picture.encoded)} bytes")


def register(server: grpc.aio.Server, _: BoundedExecutor) -> None:
    add_InpaintingServiceServicer_to_server(Refuses(), server)


def write_files(folder: Path, authority: trustme.CA) -> Files:
    """Write a certificate for this machine, as settings name its files."""
    folder.mkdir(exist_ok=True)
    files = {name: folder / f"{name}.pem" for name in ("tls_ca", "tls_certificate", "tls_key")}
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(files["tls_ca"])
    issued.cert_chain_pems[0].write_to_path(files["tls_certificate"])
    issued.private_key_pem.write_to_path(files["tls_key"])
    return files


@asynccontextmanager
async def listening(files: Files) -> AsyncIterator[int]:
    """Run a service and give its port."""
    server, _, executor, port = create_server(ServiceSettings(**files), SERVICE, register)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)
        executor.close()


async def answer(port: int, files: Files | None) -> str:
    """Say hello, and give the code of the answer: INVALID_ARGUMENT comes from the service itself."""
    settings = ChannelSettings(retry_attempts=2, **(files or {}))
    async with open_channel(f"127.0.0.1:{port}", settings) as channel:
        code, _, _ = await refused(InpaintingServiceStub(channel).Inpaint(InpaintRequest(), timeout=10))
    return code


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


async def test_a_missing_file_is_one_clear_line(tmp_path: Path, authority: trustme.CA) -> None:
    files = {**write_files(tmp_path, authority), "tls_key": tmp_path / "none.pem"}
    with pytest.raises(StartError, match=r"none\.pem, set for TLS, cannot be read"):
        create_server(ServiceSettings(**files), SERVICE, register)
    with pytest.raises(ValueError, match="needs all of TLS_CA, TLS_CERTIFICATE and TLS_KEY"):
        ServiceSettings(tls_ca=tmp_path)


def test_the_processes_speak_it_by_their_settings(tmp_path: Path, authority: trustme.CA) -> None:
    environment: dict[str, str] = {}
    for prefix in ("GATEWAY", "HISTORY", "FIXED"):
        files = write_files(tmp_path / prefix, authority)
        environment |= {f"{prefix}_{name.upper()}": str(path) for name, path in files.items()}
    with parts(tmp_path / "store", environment) as running:
        assert httpx.get(f"{running.gateway.url}/api/history", trust_env=False).json() == []
        assert health(running, {}) == 0
        assert health(running, {f"HISTORY_TLS_{name}": "" for name in ("CA", "CERTIFICATE", "KEY")}) == 1


def test_a_container_can_ask_whether_its_service_is_well(tmp_path: Path) -> None:
    with parts(tmp_path) as running:
        assert health(running, {}) == 0
        running.history.stop()
        assert health(running, {}) == 1


def health(running: Parts, changes: dict[str, str]) -> int:
    """Run the health check as a container does, and give its status."""
    environment = {**os.environ, **running.history.environment, **changes}
    environment = {name: value for name, value in environment.items() if value}
    command = [sys.executable, "-m", "services.runtime.healthcheck", "history"]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False, timeout=60).returncode

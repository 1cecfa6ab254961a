import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from productimage.inpainting.v1.inpainting_pb2 import InpaintRequest, InpaintResponse
from productimage.inpainting.v1.inpainting_pb2_grpc import (
    InpaintingServiceServicer,
    InpaintingServiceStub,
    add_InpaintingServiceServicer_to_server,
)
from services.inpainting.__main__ import SERVICE
from services.runtime.channel import open_channel
from services.runtime.errors import STATUS_DETAILS, InvalidInputError, UnavailableError
from services.runtime.executor import BoundedExecutor
from services.runtime.server import StartError, create_server
from services.runtime.settings import ChannelSettings, ServiceSettings
from services.runtime.telemetry import REQUEST_ID, bind_request, current_request_id
from tests.contract.serving import refused, serving

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[InpaintRequest, InpaintResponse]


class Probe(InpaintingServiceServicer):
    """Does what the request's bytes say."""

    def __init__(self) -> None:
        self.executor: BoundedExecutor | None = None
        self.gate = threading.Event()
        self.request_ids: list[str | None] = []
        self.cancelled = 0

    def register(self, server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        self.executor = executor
        add_InpaintingServiceServicer_to_server(self, server)

    async def Inpaint(self, request: InpaintRequest, _context: "Context") -> InpaintResponse:  # noqa: N802
        self.request_ids.append(current_request_id())
        assert self.executor is not None
        match request.picture.encoded:
            case b"fail":
                raise RuntimeError("secret detail")
            case b"sleep":
                try:
                    await asyncio.sleep(30)
                except asyncio.CancelledError:
                    self.cancelled += 1
                    raise
            case b"block":
                await self.executor.run(self.gate.wait, 20)
            case b"away":
                raise UnavailableError("away")
            case b"refuse":
                raise InvalidInputError("no")
            case b"large":
                return InpaintResponse(engine="x" * 5_000_000)
        return InpaintResponse(engine="probe")


def request(what: bytes = b"") -> InpaintRequest:
    made = InpaintRequest()
    made.picture.encoded = what
    return made


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
async def channel(probe: Probe) -> AsyncIterator[grpc.aio.Channel]:
    settings = ServiceSettings(workers=1, queue_size=1, max_deadline_seconds=1.5)
    async with serving(settings, SERVICE, probe.register) as opened:
        yield opened
    probe.gate.set()


async def test_an_unknown_error_gives_a_fixed_text_and_the_request_id(channel: grpc.aio.Channel) -> None:
    bind_request("the-request")
    code, reason, text = await refused(InpaintingServiceStub(channel).Inpaint(request(b"fail")))
    assert (code, reason) == ("INTERNAL", "INTERNAL")
    assert "secret" not in text
    assert "the-request" in text


async def test_the_request_id_travels(channel: grpc.aio.Channel, probe: Probe) -> None:
    bind_request("travels-far")
    await InpaintingServiceStub(channel).Inpaint(request())
    assert probe.request_ids == ["travels-far"]
    await InpaintingServiceStub(channel).Inpaint(request(), metadata=((REQUEST_ID, "its-own"),))
    assert probe.request_ids[-1] == "its-own"


async def test_the_callers_deadline_ends_the_work(channel: grpc.aio.Channel, probe: Probe) -> None:
    code, _, _ = await refused(InpaintingServiceStub(channel).Inpaint(request(b"sleep"), timeout=0.3))
    assert code == "DEADLINE_EXCEEDED"
    for _ in range(50):
        if probe.cancelled:
            break
        await asyncio.sleep(0.05)
    assert probe.cancelled == 1


async def test_no_call_outlives_the_services_own_limit(channel: grpc.aio.Channel) -> None:
    start = time.monotonic()
    code, _, _ = await refused(InpaintingServiceStub(channel).Inpaint(request(b"sleep"), timeout=25))
    assert code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - start < 10


async def test_a_full_queue_is_told_with_when_to_try_again(channel: grpc.aio.Channel, probe: Probe) -> None:
    stub = InpaintingServiceStub(channel)
    waiting = [asyncio.create_task(_outcome(stub)) for _ in range(2)]
    await asyncio.sleep(0.3)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Inpaint(request(b"block"))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    packed = dict(caught.value.trailing_metadata())[STATUS_DETAILS]
    status = status_pb2.Status.FromString(packed)
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    assert retry.retry_delay.seconds >= 1
    probe.gate.set()
    assert await asyncio.gather(*waiting) == ["probe", "probe"]


async def _outcome(stub: object) -> str:
    answer = await stub.Inpaint(request(b"block"))  # type: ignore[attr-defined]
    return str(answer.engine)


async def test_more_calls_than_are_served_at_one_time_are_refused(probe: Probe) -> None:
    settings = ServiceSettings(max_concurrent_rpcs=1, workers=4)
    async with serving(settings, SERVICE, probe.register) as channel:
        stub = InpaintingServiceStub(channel)
        first = asyncio.create_task(_outcome(stub))
        await asyncio.sleep(0.3)
        assert (await refused(stub.Inpaint(request())))[0] == "RESOURCE_EXHAUSTED"
        probe.gate.set()
        assert await first == "probe"


async def test_messages_over_the_limit_are_refused_on_either_side(probe: Probe) -> None:
    settings = ServiceSettings(max_message_bytes=1_000_000)
    async with serving(settings, SERVICE, probe.register) as channel:
        stub = InpaintingServiceStub(channel)
        assert (await refused(stub.Inpaint(request(b"x" * 2_000_000))))[0] == "RESOURCE_EXHAUSTED"
    server, _, _, port = create_server(ServiceSettings(), SERVICE, probe.register)
    await server.start()
    async with open_channel(f"127.0.0.1:{port}", ChannelSettings(max_message_bytes=1_000_000)) as small:
        assert (await refused(InpaintingServiceStub(small).Inpaint(request(b"large"))))[0] == "RESOURCE_EXHAUSTED"
    async with open_channel(f"127.0.0.1:{port}", ChannelSettings()) as usual:
        assert len((await InpaintingServiceStub(usual).Inpaint(request(b"large"))).engine) == 5_000_000
    await server.stop(0)


async def test_a_call_without_a_deadline_gets_the_default_one(probe: Probe) -> None:
    server, _, _, port = create_server(ServiceSettings(), SERVICE, probe.register)
    await server.start()
    async with open_channel(f"127.0.0.1:{port}", ChannelSettings(default_deadline_seconds=0.3)) as channel:
        assert (await refused(InpaintingServiceStub(channel).Inpaint(request(b"sleep"))))[0] == "DEADLINE_EXCEEDED"
    await server.stop(0)


@pytest.mark.parametrize(("what", "tries"), [(b"away", 4), (b"fail", 1), (b"refuse", 1)])
async def test_only_unavailable_is_tried_again(
    channel: grpc.aio.Channel, probe: Probe, what: bytes, tries: int
) -> None:
    await refused(InpaintingServiceStub(channel).Inpaint(request(what)))
    assert len(probe.request_ids) == tries


async def test_a_large_request_is_tried_again_too(channel: grpc.aio.Channel, probe: Probe) -> None:
    away = request(b"away")
    away.mask.encoded = b"x" * 5_000_000
    await refused(InpaintingServiceStub(channel).Inpaint(away))
    assert len(probe.request_ids) == 4


async def test_a_taken_port_is_told_in_one_line(probe: Probe) -> None:
    server, _, _, port = create_server(ServiceSettings(), SERVICE, probe.register)
    await server.start()
    with pytest.raises(StartError, match=f"port {port}"):
        create_server(ServiceSettings(port=port), SERVICE, probe.register)
    await server.stop(0)


def test_sigterm_flips_health_waits_and_then_stops() -> None:
    environment = {
        **os.environ,
        "HISTORY_PORT": "0",
        "HISTORY_STORE": "disk",
        "HISTORY_DISK_DIR": "/tmp/productimage-stop-test",  # noqa: S108
        "HISTORY_STOP_WAIT_SECONDS": "1.5",
        "HISTORY_LOG_FORMAT": "json",
    }
    command = [sys.executable, "-m", "services.history"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = next(line["port"] for line in map(json.loads, process.stdout) if line["event"] == "ready")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)

            def status(service: str) -> int:
                answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=2)  # type: ignore[attr-defined]
                return int(answer.status)

            services = ("", "productimage.history.v1.HistoryService")
            assert [status(name) for name in services] == [health_pb2.HealthCheckResponse.SERVING] * 2
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert [status(name) for name in services] == [health_pb2.HealthCheckResponse.NOT_SERVING] * 2
        events = [json.loads(line)["event"] for line in process.stdout]
        assert events[-2:] == ["stopping", "stopped"]
        assert process.wait(10) == 0


def test_a_service_that_cannot_start_says_why_in_one_line() -> None:
    environment = {**os.environ, "HISTORY_STORE": "s3", "S3_BUCKET_NAME": "", "HISTORY_LOG_FORMAT": "json"}
    done = subprocess.run(
        [sys.executable, "-m", "services.history"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == ""
    [line] = done.stdout.splitlines()
    assert "S3_BUCKET_NAME" in json.loads(line)["why"]

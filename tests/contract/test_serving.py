import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from common.errors import InvalidInputError, StartError, UnavailableError
from common.observability.logs import bind_request
from common.serving.engines import EngineRegistry
from common.serving.executor import BoundedExecutor
from common.serving.interceptor import MAX_WATCHERS_OF_ONE
from common.serving.server import BoundServer, Service, create_server
from common.settings import ServiceSettings
from productimage import Connection, InpaintingClient, Options, connect
from productimage.clients.inpainting import InpaintingDeadlines
from productimage.context import REQUEST_ID, current_request_id, no_deadline, set_deadline
from productimage.errors import STATUS_DETAILS, DeadlineExceededError, MessageTooLargeError, ProductImageError
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1.inpainting_pb2 import (
    InpaintRequest,
    InpaintResponse,
    RemoveObjectsRequest,
    RemoveObjectsResponse,
)
from productimage.inpainting.v1.inpainting_pb2_grpc import (
    InpaintingServiceServicer,
    InpaintingServiceStub,
    add_InpaintingServiceServicer_to_server,
)
from services.inpainting.__main__ import SERVICES
from testing.serving import registering, rejected, serving

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[InpaintRequest, InpaintResponse]


class Probe(InpaintingServiceServicer):
    """A servicer that behaves as the bytes of the request say."""

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

    async def RemoveObjects(  # noqa: N802
        self, _request: RemoveObjectsRequest, _context: object
    ) -> RemoveObjectsResponse:
        raise NotImplementedError


def request(what: bytes = b"") -> InpaintRequest:
    made = InpaintRequest()
    made.picture.encoded = what
    return made


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
async def connection(probe: Probe) -> AsyncIterator[Connection]:
    settings = ServiceSettings(workers=1, queue_size=1, max_deadline_seconds=1.5)
    async with serving(settings, SERVICES, registering(probe.register)) as opened:
        yield opened
    probe.gate.set()


@pytest.fixture
def channel(connection: Connection) -> grpc.aio.Channel:
    return connection.channel


def bound(settings: ServiceSettings, probe: Probe) -> BoundServer:
    """Create a server bound to a port, with the probe behind it."""
    return create_server(settings, Service(SERVICES, EngineRegistry(), probe.register))


async def call(connection: Connection, what: bytes) -> str:
    """Call the probe through the client."""
    picture = image_pb2.Image(encoded=what)
    return (await InpaintingClient(connection).inpaint(picture, image_pb2.Image())).engine


async def test_an_unknown_error_gives_a_fixed_text_and_the_request_id(connection: Connection) -> None:
    bind_request("the-request")
    with pytest.raises(ProductImageError) as caught:
        await call(connection, b"fail")
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in caught.value.message
    assert "the-request" in caught.value.message
    assert caught.value.request_id == "the-request"


async def test_the_request_id_travels(connection: Connection, probe: Probe) -> None:
    bind_request("travels-far")
    await call(connection, b"")
    assert probe.request_ids == ["travels-far"]
    await InpaintingServiceStub(connection.channel).Inpaint(request(), metadata=((REQUEST_ID, "its-own"),))
    assert probe.request_ids[-1] == "its-own"


async def test_the_callers_deadline_ends_the_work(channel: grpc.aio.Channel, probe: Probe) -> None:
    code, _, _ = await rejected(InpaintingServiceStub(channel).Inpaint(request(b"sleep"), timeout=0.3))
    assert code == "DEADLINE_EXCEEDED"
    for _ in range(50):
        if probe.cancelled:
            break
        await asyncio.sleep(0.05)
    assert probe.cancelled == 1


async def test_no_call_outlives_the_services_own_limit(channel: grpc.aio.Channel) -> None:
    start = time.monotonic()
    code, _, _ = await rejected(InpaintingServiceStub(channel).Inpaint(request(b"sleep"), timeout=25))
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


async def test_more_calls_than_are_served_at_one_time_are_rejected(probe: Probe) -> None:
    settings = ServiceSettings(max_concurrent_rpcs=1, workers=4)
    async with serving(settings, SERVICES, registering(probe.register)) as opened:
        channel = opened.channel
        stub = InpaintingServiceStub(channel)
        first = asyncio.create_task(_outcome(stub))
        await asyncio.sleep(0.3)
        assert (await rejected(stub.Inpaint(request())))[0] == "RESOURCE_EXHAUSTED"
        probe.gate.set()
        assert await first == "probe"


async def test_messages_over_the_limit_are_refused_on_either_side(probe: Probe) -> None:
    settings = ServiceSettings(max_message_bytes=1_000_000)
    async with serving(settings, SERVICES, registering(probe.register)) as opened:
        channel = opened.channel
        stub = InpaintingServiceStub(channel)
        assert (await rejected(stub.Inpaint(request(b"x" * 2_000_000))))[0] == "RESOURCE_EXHAUSTED"
    running = bound(ServiceSettings(), probe)
    await running.server.start()
    async with connect(f"127.0.0.1:{running.port}", Options(max_message_bytes=1_000_000)) as small:
        with pytest.raises(MessageTooLargeError):
            await call(small, b"large")
    async with connect(f"127.0.0.1:{running.port}") as usual:
        assert len(await call(usual, b"large")) == 5_000_000
    await running.server.stop(0)


async def test_every_method_has_a_deadline(probe: Probe) -> None:
    async with serving(ServiceSettings(), SERVICES, registering(probe.register)) as connection:
        client = InpaintingClient(connection, InpaintingDeadlines(inpaint=0.3))
        with pytest.raises(DeadlineExceededError):
            await client.inpaint(image_pb2.Image(encoded=b"sleep"), image_pb2.Image())


async def test_a_call_gets_no_more_than_is_left_to_its_context(connection: Connection) -> None:
    set_deadline(time.monotonic() + 0.3)
    with pytest.raises(DeadlineExceededError):
        await call(connection, b"sleep")
    with no_deadline():
        assert await call(connection, b"") == "probe"


@pytest.mark.parametrize(("what", "tries"), [(b"away", 4), (b"fail", 1), (b"refuse", 1)])
async def test_only_unavailable_is_tried_again(
    channel: grpc.aio.Channel, probe: Probe, what: bytes, tries: int
) -> None:
    await rejected(InpaintingServiceStub(channel).Inpaint(request(what)))
    assert len(probe.request_ids) == tries


async def test_a_large_request_is_tried_again_too(channel: grpc.aio.Channel, probe: Probe) -> None:
    away = request(b"away")
    away.mask.encoded = b"x" * 5_000_000
    await rejected(InpaintingServiceStub(channel).Inpaint(away))
    assert len(probe.request_ids) == 4


async def test_a_taken_port_is_told_in_one_line(probe: Probe) -> None:
    running = bound(ServiceSettings(), probe)
    await running.server.start()
    with pytest.raises(StartError, match=f"port {running.port}"):
        bound(ServiceSettings(port=running.port), probe)
    await running.server.stop(0)


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

            services = (
                "",
                *(f"productimage.{area}.v1.{area.title()}Service" for area in ("upload", "record", "object")),
            )
            assert [status(name) for name in services] == [health_pb2.HealthCheckResponse.SERVING] * 4
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert [status(name) for name in services] == [health_pb2.HealthCheckResponse.NOT_SERVING] * 4
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


async def test_those_who_watch_our_health_take_nobody_elses_place() -> None:
    probe = Probe()
    async with serving(
        ServiceSettings(port=0, max_concurrent_rpcs=4), SERVICES, registering(probe.register)
    ) as connection:
        stub: Any = health_pb2_grpc.HealthStub(connection.channel)
        watching = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(400)]
        answers = await asyncio.gather(*(watch.read() for watch in watching), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
        assert len(answers) - len(refused) == MAX_WATCHERS_OF_ONE - 1, "the connection itself watches, too"
        assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
        for _ in range(3):
            assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
        for watch in watching:
            watch.cancel()
        await asyncio.sleep(0.2)
        again = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await again.read()).status == health_pb2.HealthCheckResponse.SERVING
        again.cancel()


@pytest.mark.parametrize("asked_for", [False, True])
async def test_reflection_is_served_only_if_it_is_asked_for(probe: Probe, *, asked_for: bool) -> None:
    settings = ServiceSettings(port=0, reflection=asked_for)
    async with serving(settings, SERVICES, registering(probe.register)) as connection:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast("Any", connection.channel))
        answers = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        if asked_for:
            listed = [service.name async for answer in answers for service in answer.list_services_response.service]
            assert set(SERVICES) < set(listed)
        else:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await anext(aiter(answers))
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(("of_server", "of_client"), [(1 << 20, 64 << 20), (64 << 20, 1 << 20)])
async def test_too_large_is_never_said_to_be_busy(of_server: int, of_client: int) -> None:
    """A request that the server does not take, and a response that the client does not take."""
    pixels = image_pb2.RawPixels(width=1000, height=1000, format=image_pb2.PIXEL_FORMAT_RGB8, data=bytes(3_000_000))
    large = image_pb2.Image(raw=pixels)

    class Echo(InpaintingServiceServicer):
        async def Inpaint(self, _request: InpaintRequest, _context: "Context") -> InpaintResponse:  # noqa: N802
            return InpaintResponse(picture=large)

        async def RemoveObjects(  # noqa: N802
            self, _request: RemoveObjectsRequest, _context: "Context"
        ) -> RemoveObjectsResponse:
            return RemoveObjectsResponse(picture=large)

    def register(server: grpc.aio.Server, _executor: BoundedExecutor) -> None:
        add_InpaintingServiceServicer_to_server(Echo(), server)

    settings = ServiceSettings(port=0, max_message_bytes=of_server)
    running = create_server(settings, Service(SERVICES, EngineRegistry(), register))
    await running.server.start()
    sent = large if of_server < of_client else image_pb2.Image()
    async with connect(f"127.0.0.1:{running.port}", Options(max_message_bytes=of_client)) as connection:
        with pytest.raises(MessageTooLargeError):
            await InpaintingClient(connection).inpaint(sent, image_pb2.Image())
    await running.server.stop(0)
    running.executor.close()

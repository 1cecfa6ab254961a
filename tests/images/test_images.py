"""The images, run together as compose runs them: `make test-images`."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from testing.ports import free_port
from tests.images.ads import make_ads
from tests.images.engine import Stack, docker

SERVICES = ("segmentation", "inpainting", "generation", "history")
PROCESSES = (*SERVICES, "gateway")
WITH_TORCH = {"segmentation", "inpainting"}
IN_MEMORY_S3 = {
    "S3_ENDPOINT_URL": "http://s3:5000",
    "S3_BUCKET_NAME": "product-images",
    "S3_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "trying",
    "AWS_SECRET_ACCESS_KEY": "trying",
    "GENERATION_BACKGROUND_ENGINE": "set",
}


def wait_until_healthy(stack: Stack, service: str) -> None:
    for _ in range(120):
        if stack.inspect(service)["State"]["Health"]["Status"] == "healthy":
            return
        time.sleep(0.5)
    pytest.fail(f"{service} did not get healthy: {docker('logs', stack.container(service))}")


@contextmanager
def running(name: str, profiles: Sequence[str], **environment: str) -> Iterator[Stack]:
    """Run all images."""
    stack = Stack(f"images-{name}", {"LISTEN": f"127.0.0.1:{free_port()}", **environment})
    try:
        stack.compose(*(f"--profile={profile}" for profile in profiles), "up", "--detach")
        wait_until_healthy(stack, "gateway")
        yield stack
    finally:
        stack.compose("--profile=s3", "down", "--volumes")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running("disk", []) as stack:
        yield stack


def test_a_photo_becomes_ads(stack: Stack) -> None:
    make_ads(stack.environment["LISTEN"])


def test_a_photo_becomes_ads_on_s3() -> None:
    with running("s3", ["s3"], **IN_MEMORY_S3) as stack:
        make_ads(stack.environment["LISTEN"])
        assert '"engine": "s3"' in docker("logs", stack.container("history"))


@pytest.mark.parametrize("process", PROCESSES)
def test_it_runs_as_nobody_with_nothing_to_write_to(stack: Stack, process: str) -> None:
    config, host = stack.inspect(process)["Config"], stack.inspect(process)["HostConfig"]
    assert config["User"] == "10001:10001"
    assert stack.python(process, "import os; print(os.getuid(), os.getgid())") == "10001 10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]


@pytest.mark.parametrize("process", PROCESSES)
def test_it_holds_only_what_it_needs(stack: Stack, process: str) -> None:
    has_torch = stack.python(process, "from importlib.util import find_spec as f; print(bool(f('torch')))") == "True"
    assert has_torch == (process in WITH_TORCH)
    tools = "import shutil; print([t for t in ('gcc', 'cc', 'g++', 'make', 'git', 'uv') if shutil.which(t)])"
    assert stack.python(process, tools) == "[]"
    others = {*PROCESSES, "weights", "tests", "deploy", "bench"} - {process}
    there = "import os; print(*os.listdir('.'), *os.listdir('services'))"
    assert not others & set(stack.python(process, there).split())


@pytest.mark.parametrize("process", PROCESSES)
def test_it_tells_what_it_is_made_of(stack: Stack, process: str) -> None:
    config = stack.inspect(process)["Config"]
    labels = config["Labels"]
    assert len(labels["org.opencontainers.image.revision"]) == 40
    assert config["Entrypoint"][0] == "python"  # no shell between the container engine and the process
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    components = json.loads(docker("exec", stack.container(process), "cat", "/opt/venv/sbom.json"))["components"]
    assert {"grpcio", "pydantic"} <= {component["name"] for component in components}


@pytest.mark.parametrize("process", PROCESSES)
def test_metrics_are_served(stack: Stack, process: str) -> None:
    code = "from urllib.request import urlopen; print(urlopen('http://localhost:9464/metrics').read().decode())"
    assert "productimage_" in stack.python(process, code)


@pytest.mark.parametrize("process", ["gateway", *SERVICES])
def test_it_ends_by_itself_when_it_is_told(stack: Stack, process: str) -> None:
    container = stack.container(process)
    # `docker stop` keeps it down; after a mere signal, the restart policy would start it again.
    docker("stop", "--time", "40", container)
    state = json.loads(docker("inspect", container))[0]["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    docker("start", container)
    wait_until_healthy(stack, process)

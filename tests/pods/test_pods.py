"""The manifests of Kubernetes, run by podman: `make test-pods`."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testing.ports import free_port
from testing.processes import ROOT
from tests.deploy.manifests import containers, kustomize, named, of_kind
from tests.images.ads import make_ads
from tests.images.engine import DOCKER
from tests.pods.podman import PODMAN, Pods, claim, play, podman, volume

pytestmark = pytest.mark.timeout(900)
"""Images of 4 GB are copied first."""
WITH_WEIGHTS = ("segmentation", "inpainting", "generation")
PROCESSES = (*WITH_WEIGHTS, "history", "gateway")
NETWORK = "product-image-generator"
MIRROR = "weights-mirror"


def load(images: set[str]) -> None:
    """Give podman images of docker's."""
    with subprocess.Popen([DOCKER, "save", *images], stdout=subprocess.PIPE) as saved:
        subprocess.run([PODMAN, "load", "--quiet"], stdin=saved.stdout, check=True, capture_output=True)
    assert saved.returncode == 0


@pytest.fixture(scope="module")
def pods() -> Iterator[Pods]:
    manifests = kustomize(Path(__file__).parent)
    deployments = of_kind(manifests, "Deployment")
    load({container["image"] for deployment in deployments for container in containers(deployment)})
    port = free_port()
    volumes = {MIRROR, *(one["metadata"]["name"] for one in of_kind(manifests, "PersistentVolumeClaim"))}
    assert not volumes & set(podman("volume", "ls", "--quiet").split()), "volumes of yours have the names of ours"
    assert not set(PROCESSES) & set(podman("pod", "ps", "--format={{.Name}}").split()), "pods of yours have such names"
    podman("network", "create", NETWORK)
    try:
        podman("kube", "play", f"--network={NETWORK}", "-", given=yaml.safe_dump(claim(MIRROR)))
        shutil.copytree(ROOT / "weights", volume(MIRROR), dirs_exist_ok=True)
        play(manifests, NETWORK, port)
        yield Pods(manifests, f"127.0.0.1:{port}")
    finally:
        podman("pod", "rm", "--force", "--ignore", *PROCESSES)
        podman("volume", "rm", "--force", *volumes & set(podman("volume", "ls", "--quiet").split()))
        podman("network", "rm", NETWORK)


def test_a_photo_becomes_ads(pods: Pods) -> None:
    make_ads(pods.address, patience=240)


@pytest.mark.parametrize("pod", WITH_WEIGHTS)
def test_weights_are_checked_before_a_service_starts(pods: Pods, pod: str) -> None:
    assert pods.inspect(pod, "weights")["State"]["ExitCode"] == 0
    said = podman("logs", f"{pod}-weights")
    assert "/weights/" in said
    mounts = {mount["Destination"]: mount for mount in pods.inspect(pod, pod)["Mounts"]}
    assert not mounts["/weights"]["RW"]


@pytest.mark.parametrize("process", PROCESSES)
def test_it_runs_as_nobody_with_nothing_to_write_to(pods: Pods, process: str) -> None:
    status = dict(
        line.split(":\t") for line in pods.python(process, "print(open('/proc/1/status').read())").splitlines()
    )
    assert status["Uid"].split() == ["10001"] * 4
    assert status["Gid"].split() == ["10001"] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert pods.inspect(process, process)["HostConfig"]["ReadonlyRootfs"]


@pytest.mark.parametrize("process", PROCESSES)
def test_its_memory_is_limited(pods: Pods, process: str) -> None:
    limit = containers(named(list(pods.manifests), "Deployment", process))[-1]["resources"]["limits"]["memory"]
    assert pods.inspect(process, process)["HostConfig"]["Memory"] == int(limit.removesuffix("Mi")) * 2**20


@pytest.mark.parametrize("process", PROCESSES)
def test_it_has_the_settings_of_its_config_map(pods: Pods, process: str) -> None:
    settings = named(list(pods.manifests), "ConfigMap", f"{process}-settings")["data"]
    assert settings
    there = pods.python(
        process, "import os; print(*(f'{k}={v}' for k, v in os.environ.items()), sep='\\n')"
    ).splitlines()
    assert {f"{name}={value}" for name, value in settings.items()} <= set(there)

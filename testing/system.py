"""The real processes, for tests."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from cli.ports import Ports
from cli.supervisor import running
from testing.pictures import cut_ball
from testing.processes import Parts, parts

INSTANT = {"SEGMENTATION_ENGINE": "grabcut", "INPAINTING_ENGINE": "opencv", "GENERATION_SET_SAMPLES": "1"}
"""Engines that start instantly, for tests that are not about picture quality."""
FAST = INSTANT | {"GATEWAY_BACKGROUNDS": "square", "GATEWAY_REGENERATIONS": "0"}
"""The same with one background per generation, for tests that are not about ads."""

AT_HOME = {
    "GATEWAY_SEED": "1",
    "HISTORY_STORE": "disk",
    "GENERATION_BACKGROUND_ENGINE": "set",
    "GENERATION_COPY_ENGINE": "templates",
}
"""Settings that use no cloud, whatever keys this machine has, and draw nothing at random."""

CUT_OUT = cut_ball()

FORM = {
    "product_name": "TrailMate 保溫瓶",
    "product_describe": "24小時保冷，提環杯蓋不漏水。",
    "target_audience": "女性,25-34,戶外旅遊",
}
ONE_SIZE = {"sizes": "300x250"}
"""Less work than the three sizes that are made by default, for which `sizes=""` asks."""


@dataclass
class System:
    """The running processes.

    Attributes:
        client: HTTP client of the gateway.
        pids: Process ids by name.
        ports: Ports they listen on.
        store: Folder of the disk store.
        lines: Their log lines.
    """

    client: httpx.Client
    pids: dict[str, int]
    ports: Ports
    store: Path
    lines: list[str] = field(default_factory=list)

    def upload(self, photo: bytes = CUT_OUT, name: str = "flask.png") -> httpx.Response:
        """Upload a photo, by default one that is cut out already, for tests that are not about cut-outs."""
        return self.client.post("/api/upload-image", files={"product_image": (name, photo)})

    def generate(self, upload: Mapping[str, Any], **changes: str) -> httpx.Response:
        """Generate ads from an upload."""
        return self.client.post("/api/generate-product", data=self._form(upload, changes))

    def generate_on(self, background: bytes, upload: Mapping[str, Any], **changes: str) -> httpx.Response:
        """Generate ads from an upload on a background of the user's own."""
        files = {"background_image": ("room.png", background)}
        return self.client.post("/api/generate-product", data=self._form(upload, changes), files=files)

    def _form(self, upload: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, str]:
        return {
            **FORM,
            **ONE_SIZE,
            "product_image_filename": upload["filename"],
            "timestamp": upload["timestamp"],
            **changes,
        }

    def pictures(self, record: Mapping[str, Any]) -> list[bytes]:
        """Download the ads of a record."""
        return [self.client.get(f"/static/{path}").content for path in record["generated_images"]]

    def stored(self) -> set[str]:
        """Return the paths of all files in the store but hidden ones and the sweeper's."""
        files = (path for path in self.store.rglob("*") if path.is_file())
        names = {path.relative_to(self.store).as_posix() for path in files}
        return {name for name in names if not name.startswith((".", "sweeps/"))}


@contextmanager
def started(store: Path, environment: Mapping[str, str]) -> Iterator[System]:
    """Start all on free ports with a disk store; stop all on exit."""
    ready, stop = threading.Event(), threading.Event()
    failure: list[BaseException] = []
    lines: list[str] = []
    found: dict[str, Any] = {}
    ports = Ports.free()

    async def run() -> None:
        settings = {**AT_HOME, "HISTORY_DISK_DIR": str(store), **environment}
        async with running(ports, settings, lines.append) as processes:
            found.update(url=processes.url, pids=processes.pids)
            ready.set()
            await asyncio.to_thread(stop.wait)

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001  # re-raised in the test
            failure.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        ready.wait()
        if failure:
            raise AssertionError("\n".join(lines)) from failure[0]
        with httpx.Client(base_url=found["url"], timeout=120, trust_env=False) as client:
            yield System(client, found["pids"], ports, store, lines)
    finally:
        stop.set()
        thread.join()


@contextmanager
def started_with_fixed_engines(store: Path, environment: Mapping[str, str]) -> Iterator[System]:
    """The same with engines that only take their time, which start at once: for tests of what surrounds the engines.

    The three services with models are one process, and only the lines of the gateway are kept.
    """
    with parts(store, environment) as running, seen_by_a_client(running, store) as system:
        yield system


@contextmanager
def seen_by_a_client(running: Parts, store: Path) -> Iterator[System]:
    """Yield a gateway, a history and fixed engines as a system."""
    models, history = running.engines.pid, running.history.pid
    pids = {"segmentation": models, "inpainting": models, "generation": models, "history": history}
    shared = running.engines.port
    ports = Ports(running.gateway.port, shared, shared, shared, running.history.port)
    with httpx.Client(base_url=running.gateway.url, timeout=120, trust_env=False) as client:
        yield System(client, pids | {"gateway": running.gateway.pid}, ports, store, running.gateway.lines)

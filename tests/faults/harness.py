"""Runs clients against the real processes while these are killed, their storage fails and their disk is full."""

import json
import os
import random
import resource
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from cli.ports import Ports
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.storage.disk import SCRATCH, DiskStore
from services.history.storage.s3 import S3Store
from testing.processes import Process, all_running, until_ready
from tests.faults.checker import violations
from tests.faults.clients import Client, Operation
from tests.faults.s3_proxy import S3Proxy

STALE_SECONDS = 20
SWEEP_SECONDS = 6
"""What a last sweep takes at most, with the second that S3's times are exact to."""
START_TRIES = 20
UNLIMITED = resource.RLIM_INFINITY
FULL = 512
"""File size limit while the disk counts as full, in bytes."""


@dataclass(frozen=True)
class Plan:
    """What to run. The same seed gives the same faults and requests at about the same times.

    Attributes:
        seed: Seed of faults and requests.
        seconds: Duration, in seconds.
        store: "disk" or "s3".
        clients: Number of concurrent clients.
    """

    seed: int
    seconds: float
    store: str
    clients: int = 6


@dataclass
class Outcome:
    """Outcome of a run.

    Attributes:
        plan: What was run.
        operations: All requests with their responses.
        faults: Number of injections of each fault.
        entries: Number of records at the end.
        violations: Violations found.
    """

    plan: Plan
    operations: list[Operation] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    entries: int = 0
    violations: list[str] = field(default_factory=list)

    def save(self, folder: Path) -> Path:
        """Write the outcome as JSON Lines; return the file."""
        folder.mkdir(exist_ok=True, parents=True)
        path = folder / f"faults_{self.plan.store}_{self.plan.seed}.jsonl"
        lines = [{"plan": asdict(self.plan), "faults": self.faults, "violations": self.violations}]
        lines += [{**asdict(done), "answer": str(done.answer)[:300]} for done in self.operations]
        path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
        return path


class System:
    """Two gateways, two histories on one store, and engines that only sleep."""

    def __init__(self, environment: dict[str, str]) -> None:
        first, second = Ports.free(), Ports.free()
        histories = f"ipv4:127.0.0.1:{first.history},127.0.0.1:{second.history}"
        common = {
            "FIXED_PORT": str(first.segmentation),
            "FIXED_SECONDS": "0.02",
            "GATEWAY_HISTORY_TARGET": histories,
            "GATEWAY_HISTORY_DEADLINE_SECONDS": "5",
            "GATEWAY_DOWNLOAD_DEADLINE_SECONDS": "10",
            "GATEWAY_MAX_GENERATIONS": "16",
            "GATEWAY_MAX_UPLOADS": "16",
            "GATEWAY_PICTURE_CACHE_BYTES": "0",
            "HISTORY_STALE_AFTER_SECONDS": str(STALE_SECONDS),
            "HISTORY_LEASE_SECONDS": "3",
            "HISTORY_SWEEP_SECONDS": "1",
            **environment,
        }
        for name in ("SEGMENTATION", "INPAINTING", "GENERATION"):
            common[f"GATEWAY_{name}_TARGET"] = f"127.0.0.1:{first.segmentation}"
        self.engines = Process("testing.fixed_engines", first.segmentation, common)
        self.histories = [
            Process("services.history", ports.history, {**common, "HISTORY_PORT": str(ports.history)})
            for ports in (first, second)
        ]
        self.gateways = [
            Process("gateway", ports.gateway, {**common, "GATEWAY_PORT": str(ports.gateway)})
            for ports in (first, second)
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start all processes; stop them on exit."""
        with all_running([self.engines, *self.histories, *self.gateways]):
            until_ready(self.gateways[0].url)
            yield

    def restart_histories(self, **environment: str) -> None:
        """Restart both histories with changed settings."""
        for process in self.histories:
            process.stop()
            process.environment = {**process.environment, **environment}
        with ThreadPoolExecutor(len(self.histories)) as pool:
            list(pool.map(start, self.histories))
        until_ready(self.gateways[0].url)


def start(process: Process) -> None:
    """Start a process as an orchestrator does, retrying if it does not come up (S3 may be failing)."""
    for _ in range(START_TRIES):
        try:
            process.start()
        except AssertionError:
            time.sleep(0.2)
        else:
            return
    process.start()


class Chaos(threading.Thread):
    """Injects one fault at a time until stopped, and leaves everything healthy."""

    def __init__(self, plan: Plan, system: System, proxy: S3Proxy | None, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.injected: Counter[str] = Counter()
        self._random = random.Random(f"{plan.seed}/chaos")
        self._system = system
        self._proxy = proxy
        self._stop_event = stop

    def run(self) -> None:
        """Inject random faults one after another until stopped."""
        storage = self._s3_fails if self._proxy else self._the_disk_is_full
        while not self._stop_event.wait(self._random.uniform(0.3, 1.2)):
            fault = self._random.choice([self._history_is_killed, self._gateway_is_killed, storage, storage])
            self.injected[fault.__name__.strip("_").replace("_", " ")] += 1
            fault()

    def _history_is_killed(self) -> None:
        self._kill(self._random.choice(self._system.histories))

    def _gateway_is_killed(self) -> None:
        self._kill(self._random.choice(self._system.gateways))

    def _kill(self, process: Process) -> None:
        process.kill()
        time.sleep(self._random.uniform(0, 0.5))
        start(process)

    def _s3_fails(self) -> None:
        assert self._proxy is not None
        self._proxy.rate = self._random.choice([5, 20, 60])
        self._stop_event.wait(self._random.uniform(0.5, 2))
        self._proxy.rate = 0

    def _the_disk_is_full(self) -> None:
        for limit in (FULL, UNLIMITED):
            for process in self._system.histories:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, UNLIMITED))
            self._stop_event.wait(self._random.uniform(0.5, 1.5))


def run(plan: Plan) -> Outcome:
    """Run a plan and check the outcome."""
    outcome = Outcome(plan)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        environment, store, proxy = _open_store(plan, Path(folder), stack)
        system = System(environment)
        stack.enter_context(system.running())
        stop = threading.Event()
        clients = [Client(n, plan.seed, [one.url for one in system.gateways], stop) for n in range(plan.clients)]
        chaos = Chaos(plan, system, proxy, stop)
        for thread in (chaos, *clients):
            thread.start()
        time.sleep(plan.seconds)
        stop.set()
        for thread in (chaos, *clients):
            thread.join()
        outcome.operations = sorted(
            (one for client in clients for one in client.operations), key=lambda one: one.started
        )
        outcome.faults = chaos.injected + (proxy.injected if proxy else Counter())
        records = _calm_down(system, Path(folder))
        outcome.entries = len(records)
        outcome.violations = violations(outcome.operations, records, store, STALE_SECONDS)
        outcome.violations += [f"{left} is left" for left in _scratch_files(Path(folder))]
        outcome.violations += [
            f"{process.module}: {line}"
            for process in (*system.histories, *system.gateways)
            for line in process.lines
            if "Traceback" in line
        ]
    return outcome


def _open_store(plan: Plan, folder: Path, stack: ExitStack) -> tuple[dict[str, str], ObjectStore, S3Proxy | None]:
    """Return the settings of the store, the store itself, and the proxy in front of it, if any."""
    if plan.store == "disk":
        return {"HISTORY_STORE": "disk", "HISTORY_DISK_DIR": str(folder)}, DiskStore.connect(folder), None
    url, key, secret = _s3_server(stack)
    proxy = stack.enter_context(S3Proxy(url, plan.seed).serving())
    settings = HistorySettings(
        s3_bucket_name=f"faults-{uuid.uuid4().hex}",
        s3_endpoint_url=url,
        s3_region="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
    S3Store.client(settings).create_bucket(Bucket=settings.s3_bucket_name)
    environment = {
        "HISTORY_STORE": "s3",
        "HISTORY_S3_TIMEOUT_SECONDS": "2",
        "S3_BUCKET_NAME": settings.s3_bucket_name,
        "S3_ENDPOINT_URL": proxy.url,
        "S3_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_ROLE_ARN": "",
        "NO_PROXY": "127.0.0.1",
    }
    return environment, S3Store.connect(settings), proxy


def _s3_server(stack: ExitStack) -> tuple[str, str, str]:
    """Return URL, access key and secret key: of S3_ENDPOINT_URL, else of a moto server."""
    if url := os.environ.get("S3_ENDPOINT_URL"):
        return url, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    port = Ports.free().gateway
    server = Process("moto.server", port, {}, ("-p", str(port)))  # its own process: the clients would slow it down
    server.start()
    stack.callback(server.stop)
    return f"http://127.0.0.1:{port}", "key", "secret"


def _calm_down(system: System, folder: Path) -> list[dict[str, object]]:
    """Let everything finish and a sweep remove what is stale; return the records."""
    time.sleep(1)
    for left in _scratch_files(folder):
        os.utime(left, (0, 0))  # recent ones are kept: they may be another process's
    system.restart_histories(HISTORY_STALE_AFTER_SECONDS="0.001")
    time.sleep(SWEEP_SECONDS)
    records: list[dict[str, object]] = httpx.get(f"{system.gateways[0].url}/api/history", trust_env=False).json()
    return records


def _scratch_files(folder: Path) -> list[Path]:
    """Return the unfinished writes of the disk store."""
    scratch = folder / SCRATCH
    return list(scratch.iterdir()) if scratch.exists() else []

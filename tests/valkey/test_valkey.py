"""Counters shared in a real Valkey by several gateways: `make test-valkey`."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from gateway import counters as module
from gateway.api_keys import digest_of
from gateway.budgets import Budgets
from gateway.check import findings
from gateway.counters import Counters, SharedCounters
from gateway.errors import ApiError
from gateway.settings import GatewaySettings
from testing.pictures import SAMPLE
from testing.processes import Parts, Process, parts
from testing.system import FORM
from testing.valkey import ValkeyServer, valkey_server
from testing.waiting import eventually
from tests.unit.gateway.test_counters import CountersContract

KEYS = {"shop": "pig_shop", "rich": "pig_rich"}
ENVIRONMENT = {
    "FIXED_DOLLARS": "0.1",
    "FIXED_SECONDS": "0.2",
    "GATEWAY_BUDGETS": json.dumps({"shop": 0.45}),
    "GATEWAY_API_KEYS": json.dumps({name: digest_of(key) for name, key in KEYS.items()}),
}


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey_server() as running:
        yield running


@pytest.fixture
async def counters(server: ValkeyServer) -> AsyncIterator[Counters]:
    shared = SharedCounters(server.url, 60)
    yield shared
    await shared.close()


class TestContract(CountersContract):
    pass


async def test_two_gateways_count_as_one(server: ValkeyServer) -> None:
    two = [SharedCounters(server.url, 60) for _ in range(2)]
    spent = await asyncio.gather(*(two[one % 2].spend("today:shop", 0.25, 1.0) for one in range(40)))
    assert sum(one.granted for one in spent) == 4
    places = await asyncio.gather(*(two[one % 2].take("generations", f"{one}", 5, 5) for one in range(40)))
    taken = [place for place in places if place is not None]
    assert len(taken) == 5
    await two[1].release(taken[0])
    assert await two[0].take("generations", "next", 5, 5) is not None
    for one in two:
        await one.close()


async def test_places_of_a_gateway_that_has_died_are_free_after_the_longest_request(server: ValkeyServer) -> None:
    died, other = SharedCounters(server.url, 4), SharedCounters(server.url, 4)
    assert await died.take("generations", "shop", 1, 1) is not None
    await died.close()
    assert await other.take("generations", "shop", 1, 1) is None
    await asyncio.sleep(5.1)
    assert await other.take("generations", "shop", 1, 1) is not None
    await other.close()


async def test_a_server_that_is_killed_or_frozen_keeps_nobody_waiting(
    server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 0.2)
    shared = SharedCounters(server.url, 60)
    place = await shared.take("generations", "shop", 1, 1)
    assert place is not None
    with server.frozen():
        start = time.monotonic()
        assert (await shared.spend("today:shop", 0.1, 1.0)).granted
        assert await shared.take("generations", "shop", 1, 1) is not None, "counted alone"
        assert time.monotonic() - start < 5
    await asyncio.sleep(0.3)
    assert await shared.take("generations", "shop", 1, 1) is None, "counted together again"
    server.stop()
    await shared.release(place)
    assert (await shared.spend("today:shop", 0.1, 1.0)).granted
    await asyncio.sleep(0.3)
    server.start()
    assert await shared.take("generations", "shop", 1, 1) is not None, "it has forgotten, and goes on"
    await shared.close()


async def test_what_was_spent_is_corrected_where_it_was_counted(
    server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 0.2)
    two = [SharedCounters(server.url, 60) for _ in range(2)]
    budgets, others = (Budgets({"shop": 1.0}, one) for one in two)
    together = await budgets.reserve("shop", 0.9)
    assert together is not None
    with server.frozen():
        alone = await budgets.reserve("shop", 0.9)
        assert alone is not None
        await budgets.settle(together, 0.2)
    await asyncio.sleep(0.3)
    await budgets.settle(alone, 0.0)
    await budgets.reserve("shop", 0.1)
    with pytest.raises(ApiError, match=r"\$0\.70 of"):
        await others.reserve("shop", 0.75)
    await others.reserve("shop", 0.7)
    for one in two:
        await one.close()


def test_the_doctor_finds_them(server: ValkeyServer) -> None:
    [finding] = findings(GatewaySettings(counters_url=SecretStr(server.url)))
    assert (finding.ok, finding.detail) == (True, "respond")


@pytest.fixture
def running(tmp_path: Path, server: ValkeyServer) -> Iterator[Parts]:
    environment = {**ENVIRONMENT, "GATEWAY_COUNTERS_URL": server.url, "GATEWAY_RATE_LIMIT": "12/minute"}
    with parts(tmp_path, {**environment, "GATEWAY_MAX_GENERATIONS_TOGETHER": "1"}) as started:
        yield started


def client_of(gateway: Process, owner: str) -> httpx.Client:
    return httpx.Client(base_url=gateway.url, headers={"X-API-Key": KEYS[owner]}, trust_env=False, timeout=60)


def test_limits_hold_over_two_real_gateways(running: Parts, server: ValkeyServer) -> None:
    with (
        running.another_gateway() as second,
        client_of(running.gateway, "shop") as here,
        client_of(second, "shop") as there,
    ):
        upload = here.post("/api/upload-image", files={"product_image": ("a.jpg", SAMPLE.read_bytes())}).json()
        form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
        answers: list[httpx.Response] = []
        work = threading.Thread(target=lambda: answers.append(here.post("/api/generate-product", data=form)))
        work.start()
        time.sleep(0.25)
        busy = there.post("/api/generate-product", data=form)
        assert busy.status_code == 429
        assert busy.json()["detail"].startswith("All gateways together")
        work.join()
        assert answers[0].status_code == 200
        assert there.post("/api/generate-product", data=form).status_code == 200, "the place is free again"
        refused = here.post("/api/generate-product", data=form)
        assert refused.json()["reason"] == "BUDGET", "0.4 of 0.45 dollars are spent, by two gateways"
        statuses = [client.get("/api/sizes").status_code for client in (here, there) * 6]
        assert statuses.count(200) <= 12 - 4
        assert statuses[-2:] == [429, 429], "the rate counts the calls of both"
        server.stop()
        assert there.get("/api/sizes").status_code == 200, "without Valkey, each counts alone"
        eventually(lambda: sum("counting alone" in line for line in second.lines) == 1)

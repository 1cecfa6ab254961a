import asyncio
import threading

import pytest

from common.errors import OverloadedError
from common.serving.executor import BoundedExecutor


async def until(condition: "asyncio.Event | threading.Event") -> None:
    for _ in range(500):
        if condition.is_set():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_a_full_queue_refuses_at_once_and_recovers() -> None:
    executor = BoundedExecutor(workers=1, queue_size=1)
    gate = threading.Event()
    running = asyncio.create_task(executor.run(gate.wait))
    waiting = asyncio.create_task(executor.run(lambda: "waited"))
    await asyncio.sleep(0.05)
    with pytest.raises(OverloadedError):
        await executor.run(lambda: "refused")
    gate.set()
    assert await running
    assert await waiting == "waited"
    assert await executor.run(lambda: "again") == "again"
    executor.close()


async def test_work_whose_caller_has_gone_is_not_started() -> None:
    executor = BoundedExecutor(workers=1, queue_size=4)
    gate, started = threading.Event(), threading.Event()
    running = asyncio.create_task(executor.run(gate.wait))
    dropped = asyncio.create_task(executor.run(started.set))
    await asyncio.sleep(0.05)
    dropped.cancel()
    await asyncio.sleep(0.05)
    gate.set()
    await running
    await executor.run(lambda: None)
    assert not started.is_set()
    executor.close()


async def test_work_under_way_keeps_its_place_when_its_caller_goes() -> None:
    executor = BoundedExecutor(workers=1, queue_size=0)
    gate, started = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        gate.wait()

    gone = asyncio.create_task(executor.run(work))
    await until(started)
    gone.cancel()
    await asyncio.sleep(0.05)
    with pytest.raises(OverloadedError):
        await executor.run(lambda: None)
    gate.set()
    for _ in range(100):
        try:
            await executor.run(lambda: None)
            break
        except OverloadedError:
            await asyncio.sleep(0.02)
    else:
        pytest.fail("the place never became free")
    executor.close()


async def test_errors_come_through() -> None:
    executor = BoundedExecutor(workers=1, queue_size=1)

    def fail() -> None:
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        await executor.run(fail)
    executor.close()
